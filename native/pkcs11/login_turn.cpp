#include "native/pkcs11/login_turn.h"

#include <cerrno>

#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace keystay::pkcs11 {
namespace {

// Of a clock that all processes of the machine share (CLOCK_MONOTONIC); differences are right past its end.
std::uint32_t now_ms() noexcept {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return static_cast<std::uint32_t>(std::chrono::duration_cast<std::chrono::milliseconds>(now).count());
}

std::uint64_t word_of_this_process() noexcept {
  return std::uint64_t{static_cast<std::uint32_t>(::getpid())} << 32 | now_ms();
}

// Also of one whose parent has not waited for it yet (pidfd_open(2)).
bool has_ended(pid_t process) noexcept {
  const int descriptor = static_cast<int>(::syscall(SYS_pidfd_open, process, 0U));
  if (descriptor < 0) return ::kill(process, 0) != 0 && errno == ESRCH;
  pollfd end{descriptor, POLLIN, 0};
  const bool ended = ::poll(&end, 1, 0) == 1;
  ::close(descriptor);
  return ended;
}

}  // namespace

std::optional<LoginTurn::Held> LoginTurn::try_take(std::chrono::milliseconds longest) noexcept {
  std::uint64_t seen = word_.load(std::memory_order_acquire);
  if (seen != 0) {
    const auto age = static_cast<std::uint32_t>(now_ms() - static_cast<std::uint32_t>(seen));
    if (age < longest.count() && !has_ended(static_cast<pid_t>(seen >> 32))) return std::nullopt;
  }
  const std::uint64_t mine = word_of_this_process();
  const bool was_abandoned = seen != 0;
  if (!word_.compare_exchange_strong(seen, mine, std::memory_order_acq_rel)) return std::nullopt;
  return std::optional<Held>(std::in_place, word_, mine, was_abandoned);
}

}  // namespace keystay::pkcs11
