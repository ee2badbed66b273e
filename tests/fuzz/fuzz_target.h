// The one function of a fuzz target, by libFuzzer's name.
#pragma once

#include <cstddef>
#include <cstdint>

// Parses `data` and checks what must hold of anything that was accepted; aborts where it does not. Returns 0.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
