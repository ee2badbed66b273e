// A processor of the token: as many signatures are made at a time as there are lanes.
#pragma once

#include "tests/support/fault_module/control_block.h"

namespace keystay::test {

// Takes a lane, waiting for one if all are busy; the destructor gives it back. Takes nothing if there is no
// bound.
class Lane final {
 public:
  explicit Lane(ControlBlock& control);
  Lane(const Lane&) = delete;
  Lane& operator=(const Lane&) = delete;
  ~Lane();

 private:
  pthread_mutex_t* mutex_ = nullptr;
};

}  // namespace keystay::test
