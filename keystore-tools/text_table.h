// Rows of a listing, each column as wide as its widest cell.
#pragma once

#include <string>
#include <vector>

namespace keystay::tools {

class TextTable final {
 public:
  explicit TextTable(std::vector<std::string> heading) : rows_{std::move(heading)} {}

  void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
  // Nothing but the heading is nothing. Cells hold text as it may be shown: see pkcs11::printable.
  [[nodiscard]] std::string text() const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace keystay::tools
