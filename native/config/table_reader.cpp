#include "native/config/table_reader.h"

#include <algorithm>

#include "native/config/duration.h"
#include "native/config/error.h"
#include "native/config/nearest.h"

namespace keystay::config {
namespace {

std::string in_quotes(std::string_view text) { return "\"" + std::string(text) + "\""; }

// Without quotes where TOML has a bare key, as it is written in the file, so that it can be searched there.
std::string key_text(std::string_view key) {
  const bool bare = !key.empty() && std::ranges::all_of(key, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
  return bare ? std::string(key) : in_quotes(key);
}

}  // namespace

TableReader::TableReader(const TomlTable& table, std::string path, std::uint32_t line,
                         const std::filesystem::path& file)
    : table_(&table), path_(std::move(path)), line_(line), file_(&file) {}

const TomlEntry* TableReader::find(std::string_view key) const {
  const auto found = std::ranges::find(table_->entries, key, &TomlEntry::key);
  return found == table_->entries.end() ? nullptr : &*found;
}

std::string TableReader::full_key(std::string_view key) const {
  if (key.empty()) return path_;
  return path_.empty() ? key_text(key) : path_ + "." + key_text(key);
}

std::string TableReader::place(std::string_view key) const {
  const TomlEntry* entry = find(key);
  const std::string name = full_key(key);
  return file_->string() + ":" + std::to_string(entry != nullptr ? entry->line : line_) +
         (name.empty() ? "" : ": " + name);
}

void TableReader::fail(std::string_view key, std::string_view what) const {
  throw Error(place(key) + ": " + std::string(what));
}

void TableReader::allow(std::initializer_list<std::string_view> keys) const {
  for (const TomlEntry& entry : table_->entries) {
    if (std::ranges::find(keys, entry.key) == keys.end()) {
      fail(entry.key, "unknown key; " + suggest(entry.key, std::span(keys.begin(), keys.size())));
    }
  }
}

std::optional<std::string> TableReader::text(std::string_view key) const {
  const TomlEntry* entry = find(key);
  if (entry == nullptr) return std::nullopt;
  const auto* value = std::get_if<std::string>(&entry->value.content);
  if (value == nullptr) fail(key, "expected a string in quotes");
  return *value;
}

std::string TableReader::required_text(std::string_view key, std::string_view example) const {
  auto value = text(key);
  if (!value) fail(key, "missing; write " + std::string(key) + " = " + std::string(example));
  if (value->empty())
    fail(key, "must not be empty; write " + std::string(key) + " = " + std::string(example));
  return *std::move(value);
}

std::optional<std::int64_t> TableReader::integer(std::string_view key, IntegerRange range) const {
  const TomlEntry* entry = find(key);
  if (entry == nullptr) return std::nullopt;
  const std::string expected = std::to_string(range.least) + " to " + std::to_string(range.most);
  const auto* value = std::get_if<std::int64_t>(&entry->value.content);
  if (value == nullptr) fail(key, "expected a number, " + expected + ", without quotes");
  if (*value < range.least || *value > range.most) {
    fail(key, "expected " + expected + ", got " + std::to_string(*value));
  }
  return *value;
}

std::optional<bool> TableReader::boolean(std::string_view key) const {
  const TomlEntry* entry = find(key);
  if (entry == nullptr) return std::nullopt;
  const auto* value = std::get_if<bool>(&entry->value.content);
  if (value == nullptr) fail(key, "expected true or false, without quotes");
  return *value;
}

bool TableReader::is_text(std::string_view key) const {
  const TomlEntry* entry = find(key);
  return entry != nullptr && std::holds_alternative<std::string>(entry->value.content);
}

bool TableReader::is_array(std::string_view key) const {
  const TomlEntry* entry = find(key);
  return entry != nullptr && std::holds_alternative<TomlArray>(entry->value.content);
}

bool TableReader::is_table(std::string_view key) const {
  const TomlEntry* entry = find(key);
  return entry != nullptr && std::holds_alternative<TomlTable>(entry->value.content);
}

std::optional<std::chrono::milliseconds> TableReader::duration(std::string_view key,
                                                               DurationRange range) const {
  const TomlEntry* entry = find(key);
  if (entry == nullptr) return std::nullopt;
  const std::string expected = "expected a duration from " + in_quotes(format_duration(range.least)) +
                               " to " + in_quotes(format_duration(range.most)) + " (units: ms, s, m, h)";
  const auto* value = std::get_if<std::string>(&entry->value.content);
  if (value == nullptr) fail(key, expected + ", in quotes");
  const auto parsed = parse_duration(*value);
  if (!parsed || *parsed < range.least || *parsed > range.most)
    fail(key, expected + ", got " + in_quotes(*value));
  return parsed;
}

std::optional<std::vector<std::string>> TableReader::texts(std::string_view key) const {
  const TomlEntry* entry = find(key);
  if (entry == nullptr) return std::nullopt;
  const auto* array = std::get_if<TomlArray>(&entry->value.content);
  if (array == nullptr) fail(key, "expected an array of strings: " + std::string(key) + " = [\"…\"]");
  std::vector<std::string> result;
  for (const TomlValue& element : *array) {
    const auto* value = std::get_if<std::string>(&element.content);
    if (value == nullptr || value->empty()) {
      fail(key, "expected strings in quotes, none of them empty: " + std::string(key) + " = [\"…\"]");
    }
    result.push_back(*value);
  }
  return result;
}

std::vector<std::string> TableReader::required_texts(std::string_view key, std::string_view example) const {
  auto values = texts(key);
  if (!values) fail(key, "missing; write " + std::string(key) + " = " + std::string(example));
  if (values->empty())
    fail(key, "must not be empty; write " + std::string(key) + " = " + std::string(example));
  return *std::move(values);
}

std::optional<TableReader> TableReader::table(std::string_view key) const {
  const TomlEntry* entry = find(key);
  if (entry == nullptr) return std::nullopt;
  const auto* content = std::get_if<TomlTable>(&entry->value.content);
  if (content == nullptr) fail(key, "expected a section: [" + full_key(key) + "]");
  return TableReader(*content, full_key(key), entry->line, *file_);
}

std::vector<std::pair<std::string, TableReader>> TableReader::named_tables(std::string_view key) const {
  std::vector<std::pair<std::string, TableReader>> result;
  const auto parent = table(key);
  if (!parent) return result;
  for (const TomlEntry& entry : parent->table_->entries) {
    const auto* content = std::get_if<TomlTable>(&entry.value.content);
    if (content == nullptr) {
      parent->fail(entry.key, "expected sections with names: [" + full_key(key) + ".NAME]");
    }
    result.emplace_back(entry.key, TableReader(*content, parent->full_key(entry.key), entry.line, *file_));
  }
  return result;
}

std::vector<TableReader> TableReader::tables(std::string_view key) const {
  std::vector<TableReader> result;
  const TomlEntry* entry = find(key);
  if (entry == nullptr) return result;
  const std::string expected = "expected sections in double brackets: [[" + full_key(key) + "]]";
  const auto* array = std::get_if<TomlArray>(&entry->value.content);
  if (array == nullptr) fail(key, expected);
  for (const TomlValue& element : *array) {
    const auto* content = std::get_if<TomlTable>(&element.content);
    if (content == nullptr) fail(key, expected);
    result.push_back(TableReader(*content, full_key(key), element.line, *file_));
  }
  return result;
}

}  // namespace keystay::config
