#include "tests/support/process_memory.h"

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <span>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/descriptor.h"

namespace keystay::test {
namespace {

struct Range {
  std::uintptr_t begin;
  std::uintptr_t end;
};

// proc(5), /proc/pid/smaps: a line "begin-end perms …", then "Name: value" lines.
std::vector<Range> dumped_ranges() {
  std::vector<Range> ranges;
  std::ifstream smaps("/proc/self/smaps");
  bool readable = false;
  bool resident = false;
  Range range{};
  for (std::string line; std::getline(smaps, line);) {
    std::istringstream words(line);
    std::string first;
    words >> first;
    if (const std::size_t dash = first.find('-'); first.back() != ':' && dash != std::string::npos) {
      std::string permissions;
      words >> permissions;
      range = {std::stoul(first.substr(0, dash), nullptr, 16),
               std::stoul(first.substr(dash + 1), nullptr, 16)};
      readable = permissions.starts_with('r') && line.find("[v") == std::string::npos;  // [vvar], [vsyscall]
    } else if (first == "Rss:") {
      std::size_t kilobytes = 0;
      words >> kilobytes;
      resident = kilobytes > 0;
    } else if (first == "VmFlags:") {
      if (readable && resident && line.find(" dd") == std::string::npos) ranges.push_back(range);
    }
  }
  if (ranges.empty()) throw std::runtime_error("/proc/self/smaps cannot be read");
  return ranges;
}

// Out of the search: what is read stands in it.
class Window final {
 public:
  static constexpr std::size_t kSize = std::size_t{1} << 20;

  Window() : memory_(::mmap(nullptr, kSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) {
    if (memory_ == MAP_FAILED || ::madvise(memory_, kSize, MADV_DONTDUMP) != 0)
      throw std::runtime_error("no memory for the search");
  }
  Window(const Window&) = delete;
  Window& operator=(const Window&) = delete;
  ~Window() { ::munmap(memory_, kSize); }

  [[nodiscard]] std::span<char> bytes() const { return {static_cast<char*>(memory_), kSize}; }

 private:
  void* memory_;
};

std::size_t times_in(std::span<const char> bytes, std::string_view backwards) {
  std::size_t times = 0;
  for (std::size_t at = 0; at + backwards.size() <= bytes.size(); ++at) {
    times += std::equal(backwards.rbegin(), backwards.rend(), bytes.data() + at) ? 1 : 0;
  }
  return times;
}

}  // namespace

std::string why_memory_is_not_searched() {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  return "a sanitizer keeps books about all of the address space";
#else
  std::ifstream smaps("/proc/self/smaps");
  for (std::string line; std::getline(smaps, line);) {
    if (line.starts_with("VmFlags:")) return {};
  }
  return "/proc/self/smaps has no VmFlags";
#endif
}

std::size_t times_in_memory(std::string_view backwards) {
  const Window window;
  const Descriptor memory(::open("/proc/self/mem", O_RDONLY | O_CLOEXEC));
  std::size_t times = 0;
  for (const Range& range : dumped_ranges()) {
    // Windows overlap by one byte less than the text, so that each place is in one of them, and in one only.
    for (std::uintptr_t at = range.begin; at < range.end; at += Window::kSize - (backwards.size() - 1)) {
      const std::size_t size = std::min<std::size_t>(Window::kSize, range.end - at);
      const ssize_t count = ::pread(memory.get(), window.bytes().data(), size, static_cast<off_t>(at));
      if (count > 0) times += times_in(window.bytes().first(static_cast<std::size_t>(count)), backwards);
    }
  }
  return times;
}

pkcs11::WipedText with_secret(std::string_view before, std::string_view backwards, std::string_view after) {
  pkcs11::WipedText text(before.size() + backwards.size() + after.size() + 1);
  char* at = std::copy(before.begin(), before.end(), text.data());
  at = std::reverse_copy(backwards.begin(), backwards.end(), at);
  *std::copy(after.begin(), after.end(), at) = '\0';
  return text;
}

void set_secret_pin(const SoftHsmToken& token, std::string_view backwards) {
  const pid_t child = ::fork();
  if (child == 0) {
    try {
      token.pkcs11_tool({"--change-pin", "--new-pin", std::string(backwards.rbegin(), backwards.rend())});
      ::_exit(0);
    } catch (...) {
      ::_exit(1);
    }
  }
  int status = -1;
  if (::waitpid(child, &status, 0) != child || status != 0) throw std::runtime_error("the PIN cannot be set");
}

}  // namespace keystay::test
