// Reading from a member, as a call that may be left.
#pragma once

#include <chrono>
#include <condition_variable>
#include <exception>
#include <functional>
#include <memory>

#include "native/ha/call_threads.h"
#include "native/keys/key_source.h"
#include "native/pkcs11/mutex.h"
#include "native/pkcs11/session.h"

namespace keystay::ha {

// A thread of CallThreads opens the session and makes its calls; what is read with them is made something of
// where it was asked for, so that only calls are ever left, and no memory of the reader's.
class ReadCall final : public Call, public pkcs11::SessionThread {
 public:
  // `limit` is the time that each call may take.
  ReadCall(std::shared_ptr<keys::KeySource> source, std::chrono::milliseconds limit);

  void run() noexcept override;

  enum class End {
    read,
    not_begun,  // no thread came to it until the deadline
    left,       // a call did not return in time
  };
  // Waits for a session until the deadline, and runs `body` with it on this thread: again, with another one,
  // where the source says so (KeySource::with_session). Once. Throws what `body` or the source threw. Unless
  // it was read, a call may go on for as long as it likes.
  [[nodiscard]] End read(const std::function<void(pkcs11::Session&)>& body, pkcs11::Deadline deadline);

  // Of the thread that reads.
  void make(std::function<void(pkcs11::Session&)> call) override;

 private:
  // Of the thread that makes the calls: a session is there until the body with it has ended.
  void serve(pkcs11::Session& session);
  [[nodiscard]] std::function<void(pkcs11::Session&)> next_call();
  void note_made(std::exception_ptr error);
  // Of the thread that reads: null at the end, or when nothing came in time.
  [[nodiscard]] pkcs11::Session* next_session(pkcs11::Deadline deadline);
  void run_body(const std::function<void(pkcs11::Session&)>& body, const pkcs11::Session& session);

  const std::shared_ptr<keys::KeySource> source_;
  const std::chrono::milliseconds limit_;

  pkcs11::Mutex mutex_;
  std::condition_variable changed_;
  bool begun_ KEYSTAY_GUARDED_BY(mutex_) = false;
  bool left_ KEYSTAY_GUARDED_BY(mutex_) = false;
  bool ended_ KEYSTAY_GUARDED_BY(mutex_) = false;
  std::exception_ptr error_ KEYSTAY_GUARDED_BY(mutex_);  // what it ended with
  // While there is one: the reader's, which runs `body`.
  pkcs11::Session* session_ KEYSTAY_GUARDED_BY(mutex_) = nullptr;
  bool body_ended_ KEYSTAY_GUARDED_BY(mutex_) = false;
  std::exception_ptr body_error_ KEYSTAY_GUARDED_BY(mutex_);
  std::function<void(pkcs11::Session&)> call_ KEYSTAY_GUARDED_BY(mutex_);  // the one to be made
  bool made_ KEYSTAY_GUARDED_BY(mutex_) = false;
  std::exception_ptr call_error_ KEYSTAY_GUARDED_BY(mutex_);
};

}  // namespace keystay::ha
