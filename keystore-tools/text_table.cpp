#include "keystore-tools/text_table.h"

#include <algorithm>
#include <cstddef>

#include "native/pkcs11/unicode.h"

namespace keystay::tools {
namespace {

// In characters: labels are UTF-8.
std::size_t width(const std::string& cell) {
  const auto characters = pkcs11::code_points(cell);
  return characters ? characters->size() : cell.size();
}

}  // namespace

std::string TextTable::text() const {
  if (rows_.size() < 2) return {};
  std::vector<std::size_t> widths(rows_.front().size(), 0);
  for (const auto& row : rows_)
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width(row[i]));
  std::string text;
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      text += row[i];
      if (i + 1 < row.size()) text.append(widths[i] - width(row[i]) + 2, ' ');
    }
    text.erase(text.find_last_not_of(' ') + 1);
    text += '\n';
  }
  return text;
}

}  // namespace keystay::tools
