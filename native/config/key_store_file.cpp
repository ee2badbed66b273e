#include "native/config/key_store_file.h"

#include <algorithm>
#include <cerrno>
#include <optional>
#include <system_error>

#include <sys/stat.h>

#include "native/config/error.h"
#include "native/config/file.h"
#include "native/config/file_descriptor.h"
#include "native/config/table_reader.h"
#include "native/config/toml_document.h"
#include "native/pkcs11/error.h"
#include "native/pkcs11/uri.h"

namespace keystay::config {
namespace {

constexpr mode_t kNewFileMode = 0644;  // there is nothing secret in it

KeyStoreScope scope(const TableReader& document) {
  const std::string text = document.text("scope").value_or("all");
  if (text == "all") return KeyStoreScope::all;
  if (text == "listed") return KeyStoreScope::listed;
  document.fail("scope", "expected \"all\" or \"listed\", got \"" + text + "\"");
}

DeleteAction delete_action(const TableReader& document) {
  const std::string text = document.text("delete").value_or("destroy");
  if (text == "destroy") return DeleteAction::destroy;
  if (text == "forget") return DeleteAction::forget;
  document.fail("delete", "expected \"destroy\" or \"forget\", got \"" + text + "\"");
}

void check_uri(const TableReader& document, std::string_view text) {
  pkcs11::Uri uri;
  try {
    uri = pkcs11::parse_token_uri(text);
  } catch (const pkcs11::Error& error) {
    document.fail("token", error.what());
  }
  if (uri.pin_value) {
    document.fail("token",
                  "a key store file holds no secret: write pin-source=file:/path instead of pin-value");
  }
  if (uri.module_path.empty()) {
    document.fail("token",
                  "the URI has no module-path; add ?module-path=/path/to/module.so, or name a token of "
                  "keystay.toml");
  }
}

std::string token(const TableReader& document) {
  std::string text = document.text("token").value_or("");
  if (pkcs11::is_pkcs11_uri(text)) check_uri(document, text);
  return text;
}

std::string aliases_line(const std::vector<std::string>& aliases) {
  std::string line = "aliases = [";
  for (const std::string& alias : aliases) line += (line.ends_with('[') ? "" : ", ") + toml_string(alias);
  return line + "]\n";
}

[[noreturn]] void fail(const char* action, const std::filesystem::path& file, const std::error_code& code) {
  throw Error("cannot " + std::string(action) + " the key store file " + file.string() + ": " +
              code.message());
}

FileDescriptor lock_directory(const std::filesystem::path& file) {
  try {
    return lock_directory_of(file);
  } catch (const std::system_error& error) {
    fail("lock", file, error.code());
  }
}

// Nothing if the file does not exist.
std::optional<mode_t> permissions(const std::filesystem::path& file) {
  struct stat status {};
  if (::stat(file.c_str(), &status) == 0) return status.st_mode & 07777;
  if (errno == ENOENT) return std::nullopt;
  fail("read", file, {errno, std::system_category()});
}

}  // namespace

bool is_key_store(std::string_view first_bytes) noexcept { return first_bytes.starts_with(kKeyStoreMagic); }

KeyStoreFile parse_key_store(std::string_view text, const std::filesystem::path& file) {
  const std::string_view first_line = text.substr(0, text.find_first_of("\r\n"));
  if (first_line != kKeyStoreMagic) {  // also of a later version, whose words would be read wrongly
    throw Error(file.string() + ":1: this is not a key store file of Keystay; its first line would be \"" +
                std::string(kKeyStoreMagic) + "\"");
  }
  const TomlTable content = parse_toml(text, file);
  const TableReader document(content, "", 1, file);
  document.allow({"token", "scope", "delete", "aliases"});
  KeyStoreFile key_store;
  key_store.token = token(document);
  key_store.scope = scope(document);
  key_store.on_delete = delete_action(document);
  key_store.aliases = document.texts("aliases").value_or(std::vector<std::string>{});
  if (key_store.scope == KeyStoreScope::all && document.has("aliases")) {
    document.fail("aliases", "the scope is \"all\"; write scope = \"listed\", or remove this line");
  }
  if (key_store.scope == KeyStoreScope::all && key_store.on_delete == DeleteAction::forget) {
    document.fail("delete", "an alias can be forgotten only by a list of them; write scope = \"listed\"");
  }
  return key_store;
}

std::string format_key_store(const KeyStoreFile& key_store) {
  const bool listed = key_store.scope == KeyStoreScope::listed;
  std::string text(kKeyStoreMagic);
  text += "\n# It refers to keys on a token and holds no secret.\n";
  if (!key_store.token.empty()) text += "token = " + toml_string(key_store.token) + "\n";
  text += listed ? "scope = \"listed\"\n" : "scope = \"all\"\n";
  text += key_store.on_delete == DeleteAction::forget ? "delete = \"forget\"\n" : "delete = \"destroy\"\n";
  if (listed) text += aliases_line(key_store.aliases);
  return text;
}

KeyStoreFile read_key_store(const std::filesystem::path& file) {
  std::optional<std::string> text;
  try {
    text = read_regular_file(file);
  } catch (const std::system_error& error) {
    fail("read", file, error.code());
  }
  if (!text) throw Error("the key store file " + file.string() + " is no regular file; name one that is");
  return parse_key_store(*text, file);
}

void update_key_store(const std::filesystem::path& file, const KeyStoreFile& initial,
                      const std::function<void(KeyStoreFile&)>& change) {
  const auto target = link_target(file);
  const FileDescriptor lock = lock_directory(target);
  const auto mode = permissions(target);
  const KeyStoreFile before = mode ? read_key_store(target) : initial;
  KeyStoreFile after = before;
  change(after);
  if (mode && after == before) return;  // comments in the file stay
  try {
    replace_file(target, format_key_store(after), mode.value_or(kNewFileMode));
  } catch (const std::system_error& error) {
    fail("write", file, error.code());
  }
}

}  // namespace keystay::config
