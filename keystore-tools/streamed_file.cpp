#include "keystore-tools/streamed_file.h"

#include <cerrno>
#include <memory>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "keystore-tools/failure.h"
#include "native/config/file.h"

namespace keystay::tools {
namespace {

std::string reason() { return std::generic_category().message(errno); }

std::filesystem::path directory_of(const std::filesystem::path& file) {
  return file.has_parent_path() ? file.parent_path() : std::filesystem::path(".");
}

config::FileDescriptor open_input(const std::filesystem::path& file) {
  if (file.empty()) return config::FileDescriptor(::dup(STDIN_FILENO));
  return config::FileDescriptor(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
}

}  // namespace

x509::ByteSource read_in_parts(const std::filesystem::path& file) {
  const std::string name = file.empty() ? "standard input" : file.string();
  const auto opened = std::make_shared<config::FileDescriptor>(open_input(file));
  if (!opened->valid()) throw Failure("cannot read " + name + ": " + reason());
  return [opened, name](std::span<std::uint8_t> place) {
    std::size_t filled = 0;
    while (filled < place.size()) {
      const ssize_t size = ::read(opened->get(), place.data() + filled, place.size() - filled);
      if (size < 0 && errno == EINTR) continue;
      if (size < 0) throw Failure("cannot read " + name + ": " + reason());
      if (size == 0) break;
      filled += static_cast<std::size_t>(size);
    }
    return filled;
  };
}

bool StreamedFile::can_hold_back(const std::filesystem::path& file) {
  std::error_code error;
  const auto status = std::filesystem::status(file, error);
  return !file.empty() && (!std::filesystem::exists(status) || std::filesystem::is_regular_file(status));
}

StreamedFile::StreamedFile(std::filesystem::path file, mode_t mode) : target_(std::move(file)) {
  held_back_ = can_hold_back(target_);
  if (!held_back_) {
    descriptor_ = target_.empty() ? config::FileDescriptor(::dup(STDOUT_FILENO))
                                  : config::FileDescriptor(::open(target_.c_str(), O_WRONLY | O_CLOEXEC));
    if (!descriptor_.valid()) fail("open");
    return;
  }
  target_ = config::link_target(target_);
  struct stat status {};
  if (::stat(target_.c_str(), &status) == 0) mode = status.st_mode & 07777;
  open_unnamed(mode);
}

// One without a name goes with a process that is killed, too. Not all file systems have it.
void StreamedFile::open_unnamed(mode_t mode) {
  descriptor_ = config::FileDescriptor(
      ::open(directory_of(target_).c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, static_cast<mode_t>(0600)));
  if (!descriptor_.valid()) {
    std::string name = (directory_of(target_) / ("." + target_.filename().string() + ".XXXXXX")).string();
    descriptor_ = config::FileDescriptor(::mkostemp(name.data(), O_CLOEXEC));
    if (!descriptor_.valid()) fail("mkostemp");
    temporary_ = name;
  }
  if (::fchmod(descriptor_.get(), mode) != 0) fail("fchmod");
}

StreamedFile::~StreamedFile() {
  if (!temporary_.empty()) static_cast<void>(::unlink(temporary_.c_str()));
}

void StreamedFile::fail(const char* function) const {
  throw Failure("cannot write " + (target_.empty() ? "standard output" : target_.string()) + ": " + function +
                ": " + reason());
}

void StreamedFile::write(pkcs11::ByteView part) {
  while (!part.empty()) {
    const ssize_t size = ::write(descriptor_.get(), part.data(), part.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) fail("write");
    part = part.subspan(static_cast<std::size_t>(size));
  }
}

void StreamedFile::commit() {
  if (!held_back_) return;
  if (::fsync(descriptor_.get()) != 0) fail("fsync");
  if (temporary_.empty()) {
    // linkat(2) replaces nothing, so that it gets a name beside the old file first.
    const std::string opened = "/proc/self/fd/" + std::to_string(descriptor_.get());
    std::filesystem::path beside = directory_of(target_) / ("." + target_.filename().string() + "." +
                                                            std::to_string(::getpid()) + ".new");
    if (::linkat(AT_FDCWD, opened.c_str(), AT_FDCWD, beside.c_str(), AT_SYMLINK_FOLLOW) != 0) fail("linkat");
    temporary_ = std::move(beside);
  }
  if (::rename(temporary_.c_str(), target_.c_str()) != 0) fail("rename");
  temporary_.clear();
}

}  // namespace keystay::tools
