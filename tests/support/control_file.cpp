#include "tests/support/control_file.h"

#include <cerrno>
#include <new>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "tests/support/descriptor.h"

namespace keystay::test {

namespace fs = std::filesystem;

namespace {

[[noreturn]] void throw_file_error(const fs::path& path) {
  throw std::system_error(errno, std::generic_category(), "control file " + path.string());
}

void* map(const Descriptor& file, const fs::path& path) {
  void* memory = mmap(nullptr, sizeof(ControlBlock), PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0);
  if (memory == MAP_FAILED) throw_file_error(path);
  return memory;
}

void make_lanes(ControlBlock& block) {
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
  pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
  for (pthread_mutex_t& lane : block.lane) pthread_mutex_init(&lane, &attributes);
  pthread_mutexattr_destroy(&attributes);
}

}  // namespace

ControlFile ControlFile::create(fs::path path, mode_t mode) {
  const Descriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR));
  if (file.get() < 0 || ftruncate(file.get(), sizeof(ControlBlock)) != 0) throw_file_error(path);
  auto* block = new (map(file, path)) ControlBlock();
  make_lanes(*block);
  if (fchmod(file.get(), mode) != 0) throw_file_error(path);  // not by open(), where the umask has a say
  return {std::move(path), *block};
}

ControlFile ControlFile::open(fs::path path) {
  const Descriptor file(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  struct stat status {};
  if (file.get() < 0 || fstat(file.get(), &status) != 0) throw_file_error(path);
  if (status.st_size != sizeof(ControlBlock)) {
    errno = EINVAL;
    throw_file_error(path);
  }
  auto* block = static_cast<ControlBlock*>(map(file, path));
  return {std::move(path), *block};
}

}  // namespace keystay::test
