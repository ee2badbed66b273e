// A TOML document as plain values that know their lines, so that only toml_document.cpp compiles toml++.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace keystay::config {

struct TomlEntry;
struct TomlValue;

using TomlArray = std::vector<TomlValue>;

struct TomlTable {
  std::vector<TomlEntry> entries;  // in the order of the keys
};

// Dates, times and floating-point numbers: Keystay's files have no use for them.
struct OtherTomlValue {};

struct TomlValue {
  std::variant<std::string, std::int64_t, bool, TomlArray, TomlTable, OtherTomlValue> content;
  std::uint32_t line = 0;  // 1-based
};

struct TomlEntry {
  std::string key;
  std::uint32_t line;  // of the key
  TomlValue value;
};

// Throws Error that names `file` and the line for text that is not TOML.
[[nodiscard]] TomlTable parse_toml(std::string_view text, const std::filesystem::path& file);

}  // namespace keystay::config
