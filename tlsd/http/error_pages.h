// Pages in place of the lines of text with which tlsd answers by itself (`error-pages`), from files of the
// operator: "502.html" is the body of each 502. Immutable, and read at a start and a reload.
#pragma once

#include <cstddef>
#include <map>
#include <string>

namespace keystay::tlsd {

class ErrorPages final {
 public:
  static constexpr std::size_t kMostPage = 64 * 1024;

  // Reads the files of the directory that are named after a status from 400 to 599, and leaves the others
  // alone. Throws std::runtime_error if there are none, or one cannot be read or has more than kMostPage
  // bytes.
  explicit ErrorPages(const std::string& directory);

  // HTML in UTF-8; null if there is no page for the status.
  [[nodiscard]] const std::string* find(unsigned status) const noexcept;
  [[nodiscard]] const std::map<unsigned, std::string>& all() const noexcept { return pages_; }

 private:
  std::map<unsigned, std::string> pages_;
};

}  // namespace keystay::tlsd
