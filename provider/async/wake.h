// How a paused job's application learns that it may resume the job (ASYNC_WAIT_CTX_new(3)).
#pragma once

#include <variant>

#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>
#include <openssl/async.h>

namespace keystay::provider {

class AsyncRequest;

// The eventfd of one wait context, which has the same one for all its pauses. It is open as long as a thread
// may write to it, so that a late signer thread never writes into another descriptor of the same
// number.
class WakeDescriptor final : public boost::intrusive_ref_counter<WakeDescriptor> {
 public:
  // The one of this wait context, made at its first pause. Null if the process has no descriptors left.
  [[nodiscard]] static boost::intrusive_ptr<WakeDescriptor> of(ASYNC_WAIT_CTX* context);

  explicit WakeDescriptor(int fd) noexcept : fd_(fd) {}
  WakeDescriptor(const WakeDescriptor&) = delete;
  WakeDescriptor& operator=(const WakeDescriptor&) = delete;
  ~WakeDescriptor();

  void signal() noexcept;
  void drain() noexcept;

  // Whether a pause has told the application of the descriptor; pauses announce it before they begin.
  [[nodiscard]] bool announced() const noexcept { return announced_; }
  void announce() noexcept { announced_ = true; }
  // Takes the descriptor out of its wait context again, unless the application knows it.
  void withdraw(ASYNC_WAIT_CTX* context) noexcept;

  // The job's share of a request. An application that frees the wait context while the job is paused never
  // resumes the job, so the share is kept here, where it is dropped in that case.
  void hold(boost::intrusive_ptr<AsyncRequest> request) noexcept;
  [[nodiscard]] boost::intrusive_ptr<AsyncRequest> take_request() noexcept;

 private:
  static void free_with_context(ASYNC_WAIT_CTX* context, const void* key, OSSL_ASYNC_FD fd,
                                void* descriptor) noexcept;

  int fd_;
  bool announced_ = false;
  boost::intrusive_ptr<AsyncRequest> request_;
};
using WakeDescriptorPtr = boost::intrusive_ptr<WakeDescriptor>;

struct WakeCallback {
  ASYNC_callback_fn function;
  void* argument;
};

// Nothing, for a thread that waits by itself; a callback of the application; or the eventfd that it polls.
class Wake final {
 public:
  Wake() = default;
  explicit Wake(WakeCallback callback) noexcept : target_(callback) {}
  explicit Wake(WakeDescriptorPtr descriptor) noexcept : target_(std::move(descriptor)) {}

  void operator()() const noexcept;

 private:
  std::variant<std::monostate, WakeCallback, WakeDescriptorPtr> target_;
};

}  // namespace keystay::provider
