#include "tests/provider/process_footprint.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>

#include <malloc.h>
#include <unistd.h>

namespace keystay::test {
namespace {

bool without_a_leak_check = false;

std::size_t entries(const char* directory) {
  const std::filesystem::directory_iterator all(directory);
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

template <typename Count>
bool wait_for(const Count& counted, std::size_t wanted) {
  const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (counted() != wanted) {
    if (std::chrono::steady_clock::now() >= limit) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
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

bool wait_for_eventfds(std::size_t count) { return wait_for(open_eventfds, count); }

bool wait_for_threads(std::size_t count) {
  return wait_for([] { return entries("/proc/self/task"); }, count);
}

Footprint Footprint::now() {
  malloc_trim(0);
  std::size_t size = 0;
  std::size_t resident = 0;
  std::ifstream("/proc/self/statm") >> size >> resident;
  const auto page_kib = static_cast<std::size_t>(sysconf(_SC_PAGESIZE)) / 1024;
  return {resident * page_kib, entries("/proc/self/fd"), entries("/proc/self/task")};
}

void end_without_a_leak_check() { without_a_leak_check = true; }

}  // namespace keystay::test

#ifdef __SANITIZE_ADDRESS__
// LeakSanitizer asks this when the process ends.
extern "C" int __lsan_is_turned_off();  // NOLINT(bugprone-reserved-identifier): its name
__attribute__((visibility("default"))) int __lsan_is_turned_off() {
  return keystay::test::without_a_leak_check ? 1 : 0;
}
#endif
