// Files of any length, read and written in parts.
#pragma once

#include <filesystem>
#include <fstream>

#include <sys/types.h>

#include "native/config/file_descriptor.h"
#include "native/x509/ber_reader.h"

namespace keystay::tools {

// The file, or standard input for an empty path. Throws Failure, also as it is read.
[[nodiscard]] x509::ByteSource read_in_parts(const std::filesystem::path& file);

// A file that is there whole or not at all: until commit() it has no name that anybody else could use, and
// goes with this object. What is no regular file is written as it comes. Throws Failure.
class StreamedFile final {
 public:
  // The permissions of a new file; of one that exists they stay.
  StreamedFile(std::filesystem::path file, mode_t mode);
  StreamedFile(const StreamedFile&) = delete;
  StreamedFile& operator=(const StreamedFile&) = delete;
  ~StreamedFile();

  // Whether the file can be held back until commit().
  [[nodiscard]] static bool can_hold_back(const std::filesystem::path& file);

  void write(pkcs11::ByteView part);
  void commit();

 private:
  void open_unnamed(mode_t mode);
  [[noreturn]] void fail(const char* function) const;

  std::filesystem::path target_;
  std::filesystem::path temporary_;  // empty: it has no name yet
  bool held_back_ = false;
  config::FileDescriptor descriptor_{-1};
};

}  // namespace keystay::tools
