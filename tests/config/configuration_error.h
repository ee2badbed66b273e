// What the tests of messages about a broken keystay.toml start from.
#pragma once

#include <ostream>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "native/config/configuration.h"
#include "native/config/error.h"

namespace keystay::config {

// The message about a file of this text; "no error" where there is none.
[[nodiscard]] std::string error_of(std::string_view toml);

struct ErrorCase {
  const char* name;
  const char* toml;
  const char* message;
};

inline void PrintTo(const ErrorCase& value, std::ostream* stream) { *stream << value.name; }

class ConfigurationError : public testing::TestWithParam<ErrorCase> {};

}  // namespace keystay::config
