// A TOML document as plain values that know their lines, so that only toml_document.cpp compiles toml++.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
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

// A basic string with its quotes: what TOML reads as this text.
[[nodiscard]] std::string toml_string(std::string_view text);

// Bytes of the text, the last one not included.
struct TextRange {
  std::size_t begin;
  std::size_t end;
};

// Where an array stands: from its opening bracket to behind the closing one; and each of its elements.
struct ArrayPlace {
  TextRange array;
  std::vector<TextRange> elements;
};

// For those who change an array in a file that somebody wrote by hand. `path` is the keys that lead to it:
// "group", "front", "members". Nothing if there is no array. Throws as parse_toml.
[[nodiscard]] std::optional<ArrayPlace> find_array(std::string_view text,
                                                   std::span<const std::string_view> path,
                                                   const std::filesystem::path& file);

}  // namespace keystay::config
