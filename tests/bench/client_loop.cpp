#include "tests/bench/client_loop.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

#include <sys/epoll.h>

namespace keystay::bench {
namespace {

using namespace std::chrono_literals;

// Before a slot tries again after a failure: a server that is down is not flooded.
constexpr auto kPause = 10ms;

constexpr std::size_t kEventsAtOnce = 64;

}  // namespace

ClientLoop::ClientLoop(ClientPlan& plan, unsigned clients)
    : plan_(plan), epoll_(epoll_create1(EPOLL_CLOEXEC)), slots_(clients) {
  if (epoll_.get() < 0) throw std::system_error(errno, std::generic_category(), "epoll_create1");
}

void ClientLoop::run() {
  for (Slot& slot : slots_) fill(slot);
  while (!plan_.over() && (active_ > 0 || !exhausted_)) wait();
}

void ClientLoop::fill(Slot& slot) {
  slot.client = exhausted_ ? nullptr : plan_.next();
  if (!slot.client) {
    exhausted_ = true;
    return;
  }
  ++active_;
  set_due(slot, plan_.time_limit());
  // Edge-triggered: a client goes on until its socket has no more for it, so one registration serves it.
  epoll_event event{};
  event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
  event.data.ptr = &slot;
  if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, slot.client->descriptor(), &event) != 0) {
    throw std::system_error(errno, std::generic_category(), "epoll_ctl");
  }
  settle(slot);  // connect() may have failed at once
}

void ClientLoop::set_due(Slot& slot, Clock::duration from_now) {
  slot.due = Clock::now() + from_now;
  next_due_ = std::min(next_due_, slot.due);
}

void ClientLoop::advance(Slot& slot) {
  if (const std::optional<Clock::duration> left = plan_.advance(*slot.client)) set_due(slot, *left);
  settle(slot);
}

void ClientLoop::settle(Slot& slot) {
  if (!slot.client->closed()) return;
  plan_.closed(*slot.client);
  const bool failed = !slot.client->failure().empty();
  slot.client.reset();  // its socket leaves the epoll set by being closed
  --active_;
  if (failed) {
    set_due(slot, kPause);
  } else {
    fill(slot);
  }
}

void ClientLoop::expire_due(Clock::time_point now) {
  if (now < next_due_) return;
  next_due_ = Clock::time_point::max();
  for (Slot& slot : slots_) {
    if (slot.due <= now) {
      if (slot.client) {
        plan_.expire(*slot.client);
        settle(slot);
      } else if (!exhausted_) {
        fill(slot);
      }
    }
    if (slot.client || !exhausted_) next_due_ = std::min(next_due_, slot.due);
  }
}

void ClientLoop::wait() {
  // At least each 10 ms, to see whether the plan is over.
  const auto pause = std::clamp<Clock::duration>(next_due_ - Clock::now(), 0ms, 10ms);
  std::array<epoll_event, kEventsAtOnce> events;
  const int ready = epoll_wait(epoll_.get(), events.data(), events.size(),
                               static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(pause).count()));
  for (int i = 0; i < ready; ++i) {
    Slot& slot = *static_cast<Slot*>(events[static_cast<std::size_t>(i)].data.ptr);
    if (slot.client) advance(slot);
  }
  expire_due(Clock::now());
}

}  // namespace keystay::bench
