// Preloaded (LD_PRELOAD) into a program whose PKCS #11 module keeps its token in files: ends the process, by
// SIGKILL, at the Nth time that anybody in it opens a file for writing, cuts one, or removes one. N is in the
// environment, as KEYSTAY_KILL_AT_WRITE. So a command dies inside C_GenerateKeyPair and not only between two
// calls, and leaves half of what the module writes in one.
#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <dlfcn.h>
#include <unistd.h>

namespace {

template <typename Function>
Function next(const char* name) {
  return reinterpret_cast<Function>(::dlsym(RTLD_NEXT, name));
}

void count_write() {
  static const char* const at = std::getenv("KEYSTAY_KILL_AT_WRITE");
  static std::atomic<long> writes{0};
  if (at != nullptr && ++writes == std::atol(at)) static_cast<void>(::kill(::getpid(), SIGKILL));
}

bool is_for_writing(const char* mode) { return std::strpbrk(mode, "wa+") != nullptr; }

}  // namespace

// In front of the C library's, for everybody in the process.
#pragma GCC visibility push(default)
extern "C" {

FILE* fopen(const char* path, const char* mode) {
  static const auto real = next<FILE* (*)(const char*, const char*)>("fopen");
  if (is_for_writing(mode)) count_write();
  return real(path, mode);
}

int ftruncate(int fd, off_t length) {
  static const auto real = next<int (*)(int, off_t)>("ftruncate");
  count_write();
  return real(fd, length);
}

int remove(const char* path) {
  static const auto real = next<int (*)(const char*)>("remove");
  count_write();
  return real(path);
}
}
#pragma GCC visibility pop
