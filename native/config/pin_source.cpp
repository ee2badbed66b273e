#include "native/config/pin_source.h"

#include <array>
#include <cerrno>
#include <filesystem>
#include <optional>
#include <system_error>
#include <variant>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "native/config/error.h"
#include "native/config/file_descriptor.h"
#include "native/pkcs11/error.h"

namespace keystay::config {
namespace {

struct NoLogin {};
struct Prompt {};
struct File {
  std::filesystem::path path;
};
struct Variable {
  std::string name;
};
struct Credential {
  std::string name;
};
using Source = std::variant<NoLogin, Prompt, File, Variable, Credential>;

constexpr std::size_t kLongestPin = 255;  // no token is known to accept more

bool take_prefix(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

// RFC 8089 also has a host before the path; only an empty one or this machine means a local file.
std::optional<Source> file_source(std::string_view path) {
  if (path.starts_with("//")) {
    path.remove_prefix(2);
    take_prefix(path, "localhost");
  }
  if (!path.starts_with('/')) return std::nullopt;
  return File{path};
}

std::optional<Source> parse_source(std::string_view source) {
  if (source.empty()) return NoLogin{};
  if (source == "prompt") return Prompt{};
  if (take_prefix(source, "file:") || source.starts_with('/')) return file_source(source);
  if (take_prefix(source, "env:")) {
    if (source.empty() || source.find('=') != std::string_view::npos) return std::nullopt;
    return Variable{std::string(source)};
  }
  if (take_prefix(source, "credential:")) {
    // systemd.exec(5): a credential's name is a file name.
    if (source.empty() || source.find('/') != std::string_view::npos || source == "." || source == "..") {
      return std::nullopt;
    }
    return Credential{std::string(source)};
  }
  return std::nullopt;
}

// `secret` is what is read: `PIN of token "web"`.
[[noreturn]] void fail(std::string_view secret, const std::string& what) {
  throw pkcs11::Error(pkcs11::ErrorClass::authentication,
                      "cannot read the " + std::string(secret) + ": " + what);
}

// "PIN", or "password".
std::string kind_of(std::string_view secret) { return std::string(secret.substr(0, secret.find(' '))); }

std::string pin_of(std::string_view token_label) {
  return "PIN of token \"" + std::string(token_label) + "\"";
}

// Why a PIN file cannot be opened. The user that signs is seldom the one that set the server up: it is named,
// and so is what it lacks.
std::string cannot_open(const std::filesystem::path& path, std::string_view secret, int error) {
  std::string why = path.string() + ": " + std::system_category().message(error);
  if (error == EACCES) {
    why += " for the user with the ID " + std::to_string(::geteuid()) +
           "; let a group of this user read the file and enter its directory: chgrp GROUP " + path.string() +
           "; chmod 640 " + path.string();
  }
  if (error == ENOENT)
    why += "; write the " + kind_of(secret) + " into it, readable for the user of this program alone";
  return why;
}

// The bytes of a PIN file on their way into a Pin.
class WipedBuffer final {
 public:
  WipedBuffer() = default;
  WipedBuffer(const WipedBuffer&) = delete;
  WipedBuffer& operator=(const WipedBuffer&) = delete;
  ~WipedBuffer() { ::explicit_bzero(bytes_.data(), bytes_.size()); }

  // As much as fits. Returns false if a read fails, with errno set.
  [[nodiscard]] bool fill(int fd) {
    while (size_ < bytes_.size()) {
      const ssize_t count = ::read(fd, bytes_.data() + size_, bytes_.size() - size_);
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return false;
      if (count == 0) break;
      size_ += static_cast<std::size_t>(count);
    }
    return true;
  }

  [[nodiscard]] std::string_view text() const { return {bytes_.data(), size_}; }

 private:
  std::array<char, kLongestPin + 3> bytes_;  // the longest PIN, CR LF, and one more to notice longer ones
  std::size_t size_ = 0;
};

FileDescriptor open_private(const std::filesystem::path& path, std::string_view secret) {
  FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat status {};
  if (!file.valid() || ::fstat(file.get(), &status) != 0) fail(secret, cannot_open(path, secret, errno));
  if (!S_ISREG(status.st_mode)) fail(secret, path.string() + " is not a file");
  if ((status.st_mode & S_IRWXO) != 0) {
    fail(secret, path.string() + " is open to all users of this machine; run: chmod o= " + path.string());
  }
  return file;
}

pkcs11::Pin read_pin_file(const std::filesystem::path& path, std::string_view secret) {
  const FileDescriptor file = open_private(path, secret);
  WipedBuffer buffer;
  if (!buffer.fill(file.get())) {
    fail(secret, path.string() + ": " + std::system_category().message(errno));
  }
  std::string_view text = buffer.text();
  if (text.ends_with('\n')) text.remove_suffix(1);
  if (text.ends_with('\r')) text.remove_suffix(1);
  if (text.empty()) fail(secret, path.string() + " is empty");
  // A token counts wrong PINs: what cannot be one is not tried.
  if (text.find('\n') != std::string_view::npos) {
    fail(secret, path.string() + " has more than one line; leave only the " + kind_of(secret));
  }
  if (text.size() > kLongestPin) fail(secret, path.string() + " is too long for a " + kind_of(secret));
  return pkcs11::Pin(text, "file:" + path.string());
}

pkcs11::Pin read_variable(const std::string& name, std::string_view secret) {
  const char* value = ::secure_getenv(name.c_str());
  if (value == nullptr || *value == '\0') {
    fail(secret, "the environment variable " + name + " is not set (nginx and others clear it: use file:)");
  }
  return pkcs11::Pin(value, "env:" + name);
}

pkcs11::Pin read_credential(const std::string& name, std::string_view secret) {
  const char* directory = ::secure_getenv("CREDENTIALS_DIRECTORY");
  if (directory == nullptr || *directory == '\0') {
    fail(secret,
         "CREDENTIALS_DIRECTORY is not set; add LoadCredential=" + name + ":/path to the systemd unit");
  }
  return read_pin_file(std::filesystem::path(directory) / name, secret);
}

// Nothing where it stands nowhere.
std::optional<pkcs11::Pin> read_from(const Source& source, std::string_view secret) {
  if (const auto* file = std::get_if<File>(&source)) return read_pin_file(file->path, secret);
  if (const auto* variable = std::get_if<Variable>(&source)) return read_variable(variable->name, secret);
  if (const auto* credential = std::get_if<Credential>(&source))
    return read_credential(credential->name, secret);
  return std::nullopt;
}

}  // namespace

bool is_pin_source(std::string_view source) { return parse_source(source).has_value(); }

pkcs11::PinReader pin_reader(std::string_view source, std::string token_label, PinPrompt prompt) {
  const auto parsed = parse_source(source);
  if (!parsed) {
    throw Error("the PIN source of token \"" + token_label + "\" names no place of a PIN; write " +
                std::string(kPinSourceForms));
  }
  if (std::holds_alternative<NoLogin>(*parsed)) return {};
  return [source = *parsed, label = std::move(token_label), ask = std::move(prompt)]() -> pkcs11::Pin {
    if (auto pin = read_from(source, pin_of(label))) return *std::move(pin);
    if (!ask)
      fail(pin_of(label), "pin = \"prompt\" and nobody can be asked here; write file:, env: or credential:");
    return ask(label);
  };
}

bool is_password_source(std::string_view source) {
  const auto parsed = parse_source(source);
  return parsed && !std::holds_alternative<Prompt>(*parsed);
}

pkcs11::Pin read_password(std::string_view source, const std::string& file) {
  const auto parsed = parse_source(source);
  auto password = parsed ? read_from(*parsed, "password of " + file) : std::nullopt;
  return password ? *std::move(password) : pkcs11::Pin("");
}

}  // namespace keystay::config
