#include "native/config/nearest.h"

#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

namespace keystay::config {
namespace {

// Levenshtein's distance: insertions, deletions and substitutions that turn one word into the other.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i + 1);
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t substituted = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({row[j] + 1, diagonal + 1, substituted});
    }
  }
  return row.back();
}

std::string quoted_list(std::span<const std::string_view> words) {
  std::string list;
  for (std::string_view word : words) {
    if (!list.empty()) list += ", ";
    list.append("\"").append(word).append("\"");
  }
  return list;
}

}  // namespace

std::string suggest(std::string_view word, std::span<const std::string_view> known) {
  if (known.empty()) return "nothing is known here";
  std::vector<std::string_view> nearest;
  std::size_t best = std::max<std::size_t>(2, word.size() / 3);  // further away is another word
  for (std::string_view candidate : known) {
    const std::size_t distance = edit_distance(word, candidate);
    if (distance > best) continue;
    if (distance < best) nearest.clear();
    best = distance;
    nearest.push_back(candidate);
  }
  if (nearest.empty()) return "known here: " + quoted_list(known);
  return "did you mean " + quoted_list(nearest) + "?";
}

}  // namespace keystay::config
