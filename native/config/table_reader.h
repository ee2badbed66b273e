// One table of a configuration file while it is read: typed values, and errors that name file, line and key.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "native/config/toml_document.h"

namespace keystay::config {

struct IntegerRange {
  std::int64_t least;
  std::int64_t most;
};

struct DurationRange {
  std::chrono::milliseconds least;
  std::chrono::milliseconds most;
};

// Borrows the table and the file name. Every function throws Error for a value of another form.
class TableReader final {
 public:
  // `path` is the dotted key of the table, empty for the document itself; `line` is where the table begins.
  TableReader(const TomlTable& table, std::string path, std::uint32_t line,
              const std::filesystem::path& file);

  // Refuses every other key, and names the known one that was probably meant.
  void allow(std::initializer_list<std::string_view> keys) const;

  [[nodiscard]] std::optional<std::string> text(std::string_view key) const;
  [[nodiscard]] std::string required_text(std::string_view key, std::string_view example) const;
  [[nodiscard]] std::optional<std::int64_t> integer(std::string_view key, IntegerRange range) const;
  [[nodiscard]] std::optional<bool> boolean(std::string_view key) const;
  [[nodiscard]] std::optional<std::chrono::milliseconds> duration(std::string_view key,
                                                                  DurationRange range) const;
  // An array of strings, none of them empty; nothing if the key is absent.
  [[nodiscard]] std::optional<std::vector<std::string>> texts(std::string_view key) const;
  [[nodiscard]] std::vector<std::string> required_texts(std::string_view key, std::string_view example) const;

  [[nodiscard]] std::optional<TableReader> table(std::string_view key) const;
  // The tables under `key`, with their names: [token.web], [token.backup].
  [[nodiscard]] std::vector<std::pair<std::string, TableReader>> named_tables(std::string_view key) const;
  // The elements of an array of tables: [[tlsd.listener]].
  [[nodiscard]] std::vector<TableReader> tables(std::string_view key) const;

  [[nodiscard]] bool has(std::string_view key) const { return find(key) != nullptr; }
  // Whether its value is a string, or an array: [1, 2].
  [[nodiscard]] bool is_text(std::string_view key) const;
  [[nodiscard]] bool is_array(std::string_view key) const;
  // Whether its value is a table: { a = 1 }.
  [[nodiscard]] bool is_table(std::string_view key) const;

  // `file:line: key`, for whoever finds out later that the value is wrong; the line is that of the key, or of
  // the table if the key is absent or empty.
  [[nodiscard]] std::string place(std::string_view key) const;
  // `file:line: key: what`.
  [[noreturn]] void fail(std::string_view key, std::string_view what) const;

 private:
  [[nodiscard]] const TomlEntry* find(std::string_view key) const;
  [[nodiscard]] std::string full_key(std::string_view key) const;

  const TomlTable* table_;
  std::string path_;
  std::uint32_t line_;
  const std::filesystem::path* file_;
};

}  // namespace keystay::config
