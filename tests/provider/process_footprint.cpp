#include "tests/provider/process_footprint.h"

#include <algorithm>
#include <filesystem>
#include <fstream>

#include <malloc.h>
#include <unistd.h>

namespace keystay::test {
namespace {

std::size_t entries(const char* directory) {
  const std::filesystem::directory_iterator all(directory);
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

}  // namespace

std::size_t open_eventfds() {
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code closed_meanwhile;
    if (std::filesystem::read_symlink(entry, closed_meanwhile) == "anon_inode:[eventfd]") ++count;
  }
  return count;
}

Footprint Footprint::now() {
  malloc_trim(0);
  std::size_t size = 0;
  std::size_t resident = 0;
  std::ifstream("/proc/self/statm") >> size >> resident;
  const auto page_kib = static_cast<std::size_t>(sysconf(_SC_PAGESIZE)) / 1024;
  return {resident * page_kib, entries("/proc/self/fd"), entries("/proc/self/task")};
}

}  // namespace keystay::test
