// A private operation that a signer thread makes while the job that asked for it is paused
// (ASYNC_start_job(3)), or a thread waits for it.
#pragma once

#include <atomic>
#include <cstddef>
#include <optional>
#include <span>
#include <variant>

#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>

#include "provider/async/wake.h"
#include "provider/key/scheme.h"

namespace keystay::provider {

// What a job, or a thread that leaves hung calls, asks for.
struct JobOperation {
  const keys::PrivateKey& key;
  const Scheme& scheme;
  pkcs11::ByteView data;
  std::span<std::uint8_t> result;
  Software& software;
};

// Owns everything that the operation needs: a paused job may never run again, and a call that the HSM has
// begun cannot be called back. Held by the job, or its wait context, and by the signer threads. It ends
// exactly once: it is run, it expires, or it is abandoned.
class AsyncRequest final : public boost::intrusive_ref_counter<AsyncRequest> {
 public:
  AsyncRequest(const JobOperation& wanted, Wake wake);
  ~AsyncRequest();  // wipes the result, which may be a secret

  [[nodiscard]] pkcs11::Deadline deadline() const noexcept { return deadline_; }
  [[nodiscard]] bool pending() const noexcept {
    return state_.load(std::memory_order_acquire) == State::pending;
  }

  // On a signer thread: performs it, and wakes the job. Nothing happens if the request has ended.
  void run() noexcept;
  // On the watch thread, at the deadline: the job gets an error instead of waiting for a call that hangs.
  void expire() noexcept;

  // On the thread of the job. True if the job may go on: the request has ended, and its waking is over, so
  // that what the waking refers to may be freed.
  [[nodiscard]] bool finished() const noexcept;
  // Waits until it is. The deadline bounds this.
  void wait() const noexcept;
  // Gives it up. When this returns, no wake-up follows any more.
  void abandon() noexcept;
  // When it has ended: the length of the result, or why there is none. No exception: unwinding
  // a job's small stack is best not begun.
  [[nodiscard]] std::variant<std::size_t, Failure> take(std::span<std::uint8_t> result);

 private:
  enum class State { pending, done, expired, abandoned };

  [[nodiscard]] bool end(State state) noexcept;
  void wake() noexcept;

  const keys::PrivateKey key_;
  const Scheme scheme_;
  const pkcs11::Bytes data_;
  Software& software_;
  const Wake wake_;
  const pkcs11::Deadline deadline_;

  pkcs11::Bytes result_;  // written by the signer thread before the request ends
  std::optional<Failure> failure_;
  std::atomic<State> state_{State::pending};
  std::atomic<bool> woken_{false};
};

using AsyncRequestPtr = boost::intrusive_ptr<AsyncRequest>;

}  // namespace keystay::provider
