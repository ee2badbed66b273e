#include "provider/async/wake.h"

#include <cstdint>
#include <new>
#include <utility>

#include <sys/eventfd.h>
#include <unistd.h>

#include "provider/async/async_request.h"

namespace keystay::provider {
namespace {

constexpr char kKey = 0;  // its address tells our descriptor in a wait context from others

}  // namespace

WakeDescriptorPtr WakeDescriptor::of(ASYNC_WAIT_CTX* context) {
  OSSL_ASYNC_FD known = -1;
  void* descriptor = nullptr;
  if (ASYNC_WAIT_CTX_get_fd(context, &kKey, &known, &descriptor) == 1) {
    return WakeDescriptorPtr(static_cast<WakeDescriptor*>(descriptor));
  }
  const int fd = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (fd < 0) return {};
  auto* fresh = new (std::nothrow) WakeDescriptor(fd);
  if (!fresh) {
    ::close(fd);
    return {};
  }
  WakeDescriptorPtr owner(fresh);
  if (ASYNC_WAIT_CTX_set_wait_fd(context, &kKey, fd, fresh, free_with_context) != 1) return {};
  intrusive_ptr_add_ref(fresh);  // the wait context's
  return owner;
}

WakeDescriptor::~WakeDescriptor() { ::close(fd_); }

void WakeDescriptor::free_with_context(ASYNC_WAIT_CTX* /*context*/, const void* /*key*/, OSSL_ASYNC_FD /*fd*/,
                                       void* descriptor) noexcept {
  auto* ours = static_cast<WakeDescriptor*>(descriptor);
  if (const auto request = ours->take_request()) request->abandon();
  intrusive_ptr_release(ours);
}

void WakeDescriptor::withdraw(ASYNC_WAIT_CTX* context) noexcept {
  // libcrypto forgets a descriptor that it has not reported yet without calling free_with_context.
  if (!announced_ && ASYNC_WAIT_CTX_clear_fd(context, &kKey) == 1) intrusive_ptr_release(this);
}

// Neither can fail in a way that matters: a full counter is a signal too, an empty one has none.
void WakeDescriptor::signal() noexcept {
  const std::uint64_t one = 1;
  static_cast<void>(::write(fd_, &one, sizeof one) == sizeof one);
}

void WakeDescriptor::drain() noexcept {
  std::uint64_t count = 0;
  static_cast<void>(::read(fd_, &count, sizeof count) == sizeof count);
}

void WakeDescriptor::hold(AsyncRequestPtr request) noexcept { request_ = std::move(request); }
AsyncRequestPtr WakeDescriptor::take_request() noexcept { return std::exchange(request_, nullptr); }

void Wake::operator()() const noexcept {
  if (const auto* callback = std::get_if<WakeCallback>(&target_)) callback->function(callback->argument);
  if (const auto* descriptor = std::get_if<WakeDescriptorPtr>(&target_)) (*descriptor)->signal();
}

}  // namespace keystay::provider
