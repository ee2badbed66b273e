// What a core file of this process would show, and secrets that the tests' own code does not put there.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "native/pkcs11/wiped_text.h"
#include "tests/support/softhsm_token.h"

namespace keystay::test {

// Why it cannot be searched here, for GTEST_SKIP; empty if it can.
[[nodiscard]] std::string why_memory_is_not_searched();

// How often a text stands in the memory of this process. It is given backwards, so that the question is no
// answer. Mappings that are left out of core files (MADV_DONTDUMP) are left out here, as is memory that was
// never written.
[[nodiscard]] std::size_t times_in_memory(std::string_view backwards);

// `before`, the secret the right way round, `after`, and a zero byte.
[[nodiscard]] pkcs11::WipedText with_secret(std::string_view before, std::string_view backwards,
                                            std::string_view after = {});

// Makes the secret the token's user PIN, in a child process. Throws if that fails.
void set_secret_pin(const SoftHsmToken& token, std::string_view backwards);

}  // namespace keystay::test
