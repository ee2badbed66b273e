#include "native/config/toml_document.h"

#include <toml++/toml.h>

#include "native/config/error.h"

namespace keystay::config {
namespace {

TomlTable convert(const toml::table& table);

TomlValue convert(const toml::node& node) {
  TomlValue value;
  value.line = node.source().begin.line;
  if (const auto* text = node.as_string()) {
    value.content = text->get();
  } else if (const auto* number = node.as_integer()) {
    value.content = number->get();
  } else if (const auto* truth = node.as_boolean()) {
    value.content = truth->get();
  } else if (const auto* table = node.as_table()) {
    value.content = convert(*table);
  } else if (const auto* array = node.as_array()) {
    TomlArray elements;
    for (const toml::node& element : *array) elements.push_back(convert(element));
    value.content = std::move(elements);
  } else {
    value.content = OtherTomlValue{};
  }
  return value;
}

TomlTable convert(const toml::table& table) {
  TomlTable result;
  for (const auto& [key, node] : table) {
    result.entries.push_back({std::string(key.str()), key.source().begin.line, convert(node)});
  }
  return result;
}

// toml++ writes sentences that begin with "Error while parsing …:".
std::string lower_first(std::string_view description) {
  std::string text(description);
  if (!text.empty() && text[0] >= 'A' && text[0] <= 'Z') text[0] = static_cast<char>(text[0] - 'A' + 'a');
  return text;
}

toml::table parse(std::string_view text, const std::filesystem::path& file) {
  try {
    return toml::parse(text);
  } catch (const toml::parse_error& error) {
    throw Error(file.string() + ":" + std::to_string(error.source().begin.line) +
                ": this is not TOML: " + lower_first(error.description()));
  }
}

// toml++ counts lines and code points from 1; a line ends with its line feed.
std::size_t offset_of(std::string_view text, toml::source_position position) {
  std::size_t at = 0;
  for (toml::source_index line = 1; line < position.line; ++line) at = text.find('\n', at) + 1;
  const auto continues = [&] { return at < text.size() && (text[at] & 0xC0) == 0x80; };
  for (toml::source_index column = 1; column < position.column && at < text.size(); ++column) {
    do ++at;
    while (continues());
  }
  return at;
}

TextRange range_of(std::string_view text, const toml::node& node) {
  return {offset_of(text, node.source().begin), offset_of(text, node.source().end)};
}

}  // namespace

TomlTable parse_toml(std::string_view text, const std::filesystem::path& file) {
  return convert(parse(text, file));
}

std::string toml_string(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      result.append("\\").push_back(c);
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      constexpr std::string_view digits = "0123456789ABCDEF";
      result.append("\\u00").push_back(digits[static_cast<unsigned char>(c) >> 4]);
      result.push_back(digits[c & 0x0f]);
    } else {
      result.push_back(c);
    }
  }
  return result + "\"";
}

std::optional<ArrayPlace> find_array(std::string_view text, std::span<const std::string_view> path,
                                     const std::filesystem::path& file) {
  const toml::table document = parse(text, file);
  const toml::node* node = &document;
  for (const std::string_view key : path) {
    const toml::table* table = node->as_table();
    node = table != nullptr ? table->get(key) : nullptr;
    if (node == nullptr) return std::nullopt;
  }
  const toml::array* array = node->as_array();
  if (array == nullptr) return std::nullopt;
  ArrayPlace place{range_of(text, *array), {}};
  for (const toml::node& element : *array) place.elements.push_back(range_of(text, element));
  return place;
}

}  // namespace keystay::config
