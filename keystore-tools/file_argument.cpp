#include "keystore-tools/file_argument.h"

#include <fstream>
#include <iostream>
#include <iterator>
#include <system_error>

#include <errno.h>

#include "keystore-tools/failure.h"
#include "native/config/file.h"

namespace keystay::tools {
namespace {

constexpr mode_t kReadableByAll = 0644;  // certificates, requests and references hold no secret

// /dev/stdout and pipes are written to, not replaced.
bool is_replaceable(const std::filesystem::path& file) {
  std::error_code error;
  const auto status = std::filesystem::status(file, error);
  return !std::filesystem::exists(status) || std::filesystem::is_regular_file(status);
}

void write_stream(std::ostream& stream, std::string_view content, const std::string& name) {
  stream.write(content.data(), static_cast<std::streamsize>(content.size())).flush();
  if (!stream) throw Failure("cannot write " + name);
}

// Of a file that cannot be opened.
std::string reason(const std::error_code& error) {
  return error ? error.message() : std::generic_category().message(errno);
}

}  // namespace

std::string read_input(const std::filesystem::path& file) {
  if (file.empty()) return {std::istreambuf_iterator<char>(std::cin), {}};
  try {
    return config::read_file(file);
  } catch (const std::system_error& error) {
    throw Failure("cannot read " + file.string() + ": " + error.code().message());
  }
}

pkcs11::WipedText read_secret_input(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  std::error_code error;
  const auto size = std::filesystem::file_size(file, error);
  if (error || !stream) throw Failure("cannot read " + file.string() + ": " + reason(error));
  pkcs11::WipedText content(size);
  stream.rdbuf()->pubsetbuf(nullptr, 0);
  if (!stream.read(content.data(), static_cast<std::streamsize>(size)))
    throw Failure("cannot read " + file.string());
  return content;
}

void write_output(const std::filesystem::path& file, std::string_view content) {
  if (file.empty()) return write_stream(std::cout, content, "standard output");
  if (!is_replaceable(file)) {
    std::ofstream stream(file, std::ios::binary);
    return write_stream(stream, content, file.string());
  }
  try {
    config::replace_file(config::link_target(file), content, kReadableByAll);
  } catch (const std::system_error& error) {
    throw Failure("cannot write " + file.string() + ": " + error.code().message());
  }
}

}  // namespace keystay::tools
