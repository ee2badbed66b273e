// The one frontier between libcrypto's callbacks and C++: no exception crosses it.
#pragma once

#include <type_traits>
#include <utility>

#include "provider/core.h"

namespace keystay::provider {

// Runs `body` and returns what it returns; 1 if it returns nothing. An exception becomes an entry on the
// error queue, and the result is zero or null, which is what every provider function returns for a failure.
template <typename Body>
auto guard(const Core& core, Body&& body, Place place = {}) noexcept {
  using Result = std::invoke_result_t<Body>;
  if constexpr (std::is_void_v<Result>) {
    try {
      std::forward<Body>(body)();
      return 1;
    } catch (...) {
      core.raise_current_exception(place);
      return 0;
    }
  } else {
    try {
      return std::forward<Body>(body)();
    } catch (...) {
      core.raise_current_exception(place);
      return Result{};
    }
  }
}

}  // namespace keystay::provider
