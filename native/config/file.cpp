#include "native/config/file.h"

#include <array>
#include <cerrno>
#include <system_error>

#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>

namespace keystay::config {
namespace {

[[noreturn]] void fail(const char* call, const std::filesystem::path& file) {
  throw std::system_error(errno, std::system_category(), std::string(call) + " " + file.string());
}

std::filesystem::path directory_of(const std::filesystem::path& file) {
  return file.has_parent_path() ? file.parent_path() : std::filesystem::path(".");
}

std::string read_all(int fd, const std::filesystem::path& file) {
  std::string content;
  std::array<char, 16384> block;
  for (;;) {
    const ssize_t count = ::read(fd, block.data(), block.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail("read", file);
    if (count == 0) return content;
    content.append(block.data(), static_cast<std::size_t>(count));
  }
}

void write_all(int fd, std::string_view content, const std::filesystem::path& file) {
  while (!content.empty()) {
    const ssize_t written = ::write(fd, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail("write", file);
    content.remove_prefix(static_cast<std::size_t>(written));
  }
}

void sync_directory(const std::filesystem::path& directory) {
  const FileDescriptor opened(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!opened.valid() || ::fsync(opened.get()) != 0) fail("fsync", directory);
}

// A file that is removed unless it has been renamed to its place.
class TemporaryFile final {
 public:
  explicit TemporaryFile(const std::filesystem::path& target)
      : path_(target.string() + ".XXXXXX"), descriptor_(::mkostemp(path_.data(), O_CLOEXEC)) {
    if (!descriptor_.valid()) fail("create", target);
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  ~TemporaryFile() {
    if (!path_.empty()) ::unlink(path_.c_str());
  }

  // root alone may give a file away; others keep the group where they are in it.
  void give_to(uid_t owner, gid_t group) {
    if (::fchown(descriptor_.get(), owner, group) != 0) fail("fchown", path_);
  }

  void write(std::string_view content, mode_t mode) {
    write_all(descriptor_.get(), content, path_);
    if (::fchmod(descriptor_.get(), mode) != 0) fail("fchmod", path_);
    if (::fsync(descriptor_.get()) != 0) fail("fsync", path_);
  }

  // Unlike rename(2), link(2) fails where something has the name. The temporary name goes with this object.
  void link_to(const std::filesystem::path& target) const {
    if (::link(path_.c_str(), target.c_str()) != 0) fail("link", target);
  }

  void rename_to(const std::filesystem::path& target) {
    if (::rename(path_.c_str(), target.c_str()) != 0) fail("rename", target);
    path_.clear();
  }

 private:
  std::string path_;
  FileDescriptor descriptor_;
};

}  // namespace

bool is_absent(const std::filesystem::path& file) noexcept {
  std::error_code unreadable;  // then the type is not `not_found`
  return std::filesystem::symlink_status(file, unreadable).type() == std::filesystem::file_type::not_found;
}

std::string read_file(const std::filesystem::path& file) {
  const FileDescriptor opened(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!opened.valid()) fail("open", file);
  return read_all(opened.get(), file);
}

std::optional<std::string> read_regular_file(const std::filesystem::path& file) {
  const FileDescriptor opened(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat status {};
  if (!opened.valid() || ::fstat(opened.get(), &status) != 0) fail("open", file);
  return S_ISREG(status.st_mode) ? std::optional(read_all(opened.get(), file)) : std::nullopt;
}

void create_file(const std::filesystem::path& file, std::string_view content, mode_t mode) {
  TemporaryFile temporary(file);
  temporary.write(content, mode);
  temporary.link_to(file);
  sync_directory(directory_of(file));
}

void replace_file(const std::filesystem::path& file, std::string_view content, mode_t mode) {
  TemporaryFile temporary(file);
  temporary.write(content, mode);
  temporary.rename_to(file);
  sync_directory(directory_of(file));
}

std::filesystem::path link_target(const std::filesystem::path& file) {
  std::error_code error;
  auto target = std::filesystem::weakly_canonical(file, error);
  return error ? file : target;
}

FileDescriptor lock_directory_of(const std::filesystem::path& file) {
  const std::filesystem::path directory = directory_of(file);
  FileDescriptor descriptor(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!descriptor.valid()) fail("open", directory);
  while (::flock(descriptor.get(), LOCK_EX) != 0) {
    if (errno != EINTR) fail("flock", directory);
  }
  return descriptor;
}

void change_file(const std::filesystem::path& file,
                 const std::function<std::string(const std::string&)>& change) {
  const std::filesystem::path target = link_target(file);
  const FileDescriptor lock = lock_directory_of(target);
  const std::string before = read_file(target);
  struct stat status {};
  if (::stat(target.c_str(), &status) != 0) fail("stat", target);
  const std::string after = change(before);
  if (after == before) return;
  TemporaryFile temporary(target);
  temporary.give_to(status.st_uid, status.st_gid);
  temporary.write(after, status.st_mode & 07777);
  temporary.rename_to(target);
  sync_directory(directory_of(target));
}

}  // namespace keystay::config
