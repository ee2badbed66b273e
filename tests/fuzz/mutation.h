// Inputs that are nearly right: corpus files, changed in a few places.
#pragma once

#include <cstdint>
#include <random>
#include <vector>

namespace keystay::test {

using Input = std::vector<std::uint8_t>;

// The same corpus and number always give the same input.
[[nodiscard]] Input mutation(const std::vector<Input>& corpus, std::uint64_t number);

}  // namespace keystay::test
