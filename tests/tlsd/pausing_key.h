// Stands in for a provider whose key waits for a token: pauses the job of each handshake, wakes it from a
// thread of its own, and can be told to behave badly.
#pragma once

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include <openssl/async.h>
#include <openssl/ssl.h>

#include "native/async/abandon.h"

namespace keystay::test {

class PausingKey final {
 public:
  enum class Wakes {
    by_itself,   // each operation ends as soon as the thread gets to it
    when_asked,  // operations end at finish_one()
  };

  explicit PausingKey(Wakes wakes);
  PausingKey(const PausingKey&) = delete;
  PausingKey& operator=(const PausingKey&) = delete;
  ~PausingKey();

  // From now on every handshake of a connection made from this context pauses this often.
  void install(SSL_CTX* context, int pauses = 1);
  void fail_operations() { failing_ = true; }
  // Each operation is announced once more than it ends.
  void wake_spuriously() { spurious_ = true; }

  // Waits until so many operations were begun, over all; false after 30 s.
  [[nodiscard]] bool wait_until_begun(int operations);
  void finish_one();

  [[nodiscard]] int begun() const { return begun_; }
  [[nodiscard]] int ended() const { return ended_; }          // successfully
  [[nodiscard]] int abandoned() const { return abandoned_; }  // by abandon()
  [[nodiscard]] int resumed_early() const { return resumed_early_; }

  // The capability that a provider may offer (native/async/abandon.h).
  static int abandon(async::ResumeFunction resume, void* argument) noexcept;

 private:
  // Lives on the fibre of the paused job, as a provider's must not; here every job is unwound before the test
  // ends.
  struct Operation {
    ASYNC_callback_fn callback = nullptr;
    void* argument = nullptr;
    bool done = false;
  };

  static int pause(SSL* ssl, void* key);
  bool run_operation();
  void wake_all();

  Wakes wakes_;
  int pauses_ = 1;
  std::atomic<bool> failing_ = false;
  std::atomic<bool> spurious_ = false;
  std::atomic<int> begun_ = 0;
  std::atomic<int> ended_ = 0;
  std::atomic<int> abandoned_ = 0;
  std::atomic<int> resumed_early_ = 0;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Operation*> pending_;  // with room for all: on the fibre no exception may be thrown
  int permits_ = 0;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace keystay::test
