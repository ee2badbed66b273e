#include "tlsd/http/error_pages.h"

#include <charconv>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <system_error>

#include <fmt/format.h>

#include "native/config/file.h"

namespace keystay::tlsd {
namespace {

// 502 of "502.html"; nothing for other names.
std::optional<unsigned> status_of(std::string_view name) noexcept {
  unsigned status = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), status);
  const bool named = name.size() == std::string_view("502.html").size() && error == std::errc() &&
                     name.substr(static_cast<std::size_t>(end - name.data())) == ".html";
  return named && status >= 400 && status < 600 ? std::optional(status) : std::nullopt;
}

std::string read_page(const std::filesystem::path& path) {
  if (std::filesystem::file_size(path) > ErrorPages::kMostPage) {
    throw std::runtime_error(
        fmt::format("error-pages: \"{}\" has more than {} KiB; let it refer to what is large", path.string(),
                    ErrorPages::kMostPage / 1024));
  }
  auto page = config::read_regular_file(path);
  if (!page || page->empty()) {
    throw std::runtime_error(fmt::format("error-pages: \"{}\" is empty, or no regular file", path.string()));
  }
  return *std::move(page);
}

}  // namespace

ErrorPages::ErrorPages(const std::string& directory) {
  std::error_code error;
  std::filesystem::directory_iterator entries(directory, error);
  for (; !error && entries != std::filesystem::directory_iterator(); entries.increment(error)) {
    if (const auto status = status_of(entries->path().filename().string()))
      pages_.emplace(*status, read_page(entries->path()));
  }
  if (error)
    throw std::runtime_error(
        fmt::format("error-pages: the directory \"{}\" cannot be read: {}", directory, error.message()));
  if (pages_.empty())
    throw std::runtime_error(fmt::format(
        "error-pages: the directory \"{}\" has no file that is named after a status, like 502.html",
        directory));
}

const std::string* ErrorPages::find(unsigned status) const noexcept {
  const auto page = pages_.find(status);
  return page != pages_.end() ? &page->second : nullptr;
}

}  // namespace keystay::tlsd
