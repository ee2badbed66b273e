#include "native/config/file_stamp.h"

#include <cerrno>

#include <sys/stat.h>

namespace keystay::config {
namespace {

std::chrono::nanoseconds since_the_epoch(const timespec& time) noexcept {
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

}  // namespace

FileStamp stamp_of(const std::filesystem::path& file) noexcept {
  struct stat status {};
  FileStamp stamp;
  if (::stat(file.c_str(), &status) != 0) {
    stamp.error = errno;
    return stamp;
  }
  stamp.device = status.st_dev;
  stamp.inode = status.st_ino;
  stamp.size = status.st_size;
  stamp.changed = since_the_epoch(status.st_ctim);
  stamp.written = since_the_epoch(status.st_mtim);
  return stamp;
}

}  // namespace keystay::config
