#include "tests/support/fault_module/lane.h"

#include <cerrno>

namespace keystay::test {

namespace {

// A lane whose process died is as good as a free one.
bool taken(pthread_mutex_t& mutex, int error) {
  if (error == EOWNERDEAD) error = pthread_mutex_consistent(&mutex);
  return error == 0;
}

}  // namespace

Lane::Lane(ControlBlock& control) {
  const std::uint32_t lanes = control.lanes.load(std::memory_order_relaxed);
  if (lanes == 0) return;
  const std::uint32_t first = control.next_lane.fetch_add(1, std::memory_order_relaxed);
  for (std::uint32_t i = 0; i < lanes; ++i) {
    pthread_mutex_t& lane = control.lane[(first + i) % lanes];
    if (taken(lane, pthread_mutex_trylock(&lane))) {
      mutex_ = &lane;
      return;
    }
  }
  // All are busy: queue at the one whose turn it is.
  pthread_mutex_t& lane = control.lane[first % lanes];
  if (taken(lane, pthread_mutex_lock(&lane))) mutex_ = &lane;
}

Lane::~Lane() {
  if (mutex_ != nullptr) pthread_mutex_unlock(mutex_);
}

}  // namespace keystay::test
