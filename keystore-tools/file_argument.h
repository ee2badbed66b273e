// The -file option: a file, or the standard streams without one.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "native/pkcs11/wiped_text.h"

namespace keystay::tools {

// The whole file, or standard input for an empty path. Throws Failure.
[[nodiscard]] std::string read_input(const std::filesystem::path& file);

// A file, whole, that holds secrets. Throws Failure.
[[nodiscard]] pkcs11::WipedText read_secret_input(const std::filesystem::path& file);

// Replaces the file atomically, with permissions 0644, or writes to standard output for an empty path. Throws
// Failure.
void write_output(const std::filesystem::path& file, std::string_view content);

}  // namespace keystay::tools
