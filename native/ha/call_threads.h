// Threads that make calls into a module, so that a call that does not return can be left.
#pragma once

#include <cstddef>
#include <memory>

#include "native/pkcs11/cryptoki.h"

namespace keystay::ha {

// One call. It owns all that it needs, since its caller may have given up before it returns.
class Call {
 public:
  Call() = default;
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;
  virtual ~Call() = default;

  // On a thread of CallThreads.
  virtual void run() noexcept = 0;
};

enum class CallEnd {
  returned,
  not_begun,  // until the deadline: all threads are in other calls; the call will not be made
  left,       // it was begun and has not returned; its thread stays in it
};

// The threads of one member: none before the first call, at most as many as were asked for. Thread-safe.
// Belongs to one process.
class CallThreads final {
 public:
  explicit CallThreads(std::size_t threads);
  CallThreads(const CallThreads&) = delete;
  CallThreads& operator=(const CallThreads&) = delete;
  // Waits a moment for calls that are being made, and for the ends of the threads; what takes longer ends by
  // itself.
  ~CallThreads();

  // Has the call made, and waits for its end until the deadline, or until leave_all(). Throws pkcs11::Error
  // (host) if no thread can be started.
  [[nodiscard]] CallEnd run(const std::shared_ptr<Call>& call, pkcs11::Deadline deadline);
  // Has the call made, and waits for nothing; likewise. What it returns is for leave().
  using Started = std::shared_ptr<void>;
  Started start(const std::shared_ptr<Call>& call);
  // Gives up a call that was started: it counts as left until it returns, or is not made if it has not begun.
  void leave(const Started& started);
  // Every run() that waits returns that its call was left, or not begun. Calls of start() are made all
  // the same.
  void leave_all();

  // Calls that were left and have not returned.
  [[nodiscard]] std::size_t left() const;

 private:
  class Shared;
  std::shared_ptr<Shared> shared_;
};

}  // namespace keystay::ha
