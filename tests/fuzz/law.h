// What must hold in a fuzz target.
#pragma once

#include <cstdlib>
#include <iostream>

namespace keystay::test {

inline void require(bool holds, const char* law) {
  if (holds) return;
  std::cerr << "broken law: " << law << '\n';
  std::abort();
}

}  // namespace keystay::test
