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

}  // namespace

TomlTable parse_toml(std::string_view text, const std::filesystem::path& file) {
  try {
    return convert(toml::parse(text));
  } catch (const toml::parse_error& error) {
    throw Error(file.string() + ":" + std::to_string(error.source().begin.line) +
                ": this is not TOML: " + lower_first(error.description()));
  }
}

}  // namespace keystay::config
