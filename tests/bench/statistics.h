// Of several repetitions of one measurement.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

namespace keystay::bench {

// The value below which `fraction` of the values are; the middle one for 0.5. Zero if there is none.
template <typename T>
[[nodiscard]] T quantile(std::span<const T> values, double fraction) {
  if (values.empty()) return T{};
  std::vector<T> sorted(values.begin(), values.end());
  const auto last = static_cast<double>(sorted.size() - 1);
  const auto nth = sorted.begin() + static_cast<std::ptrdiff_t>(last * fraction + 0.5);
  std::nth_element(sorted.begin(), nth, sorted.end());
  return *nth;
}

template <typename T>
[[nodiscard]] T median(const std::vector<T>& values) {
  return quantile(std::span<const T>(values), 0.5);
}

}  // namespace keystay::bench
