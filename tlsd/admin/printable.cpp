#include "tlsd/admin/printable.h"

#include <algorithm>

namespace keystay::tlsd {

std::string printable(std::string_view text) {
  constexpr std::size_t kMost = 100;
  std::string result(text.substr(0, kMost));
  std::ranges::replace_if(
      result, [](unsigned char c) { return c < ' ' || c == 0x7F; }, '?');
  return result;
}

}  // namespace keystay::tlsd
