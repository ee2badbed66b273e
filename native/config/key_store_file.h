// A key store file, what `keytool -keystore FILE` names: references to a token, never a secret.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace keystay::config {

enum class KeyStoreScope {
  all,     // every alias of the token
  listed,  // only the aliases that the file names
};

enum class DeleteAction {
  destroy,  // -delete destroys the key on the token
  forget,   // -delete takes the alias off the list and changes nothing on the token
};

struct KeyStoreFile {
  std::string token;  // a name in keystay.toml (empty: its default), or a "pkcs11:" URI with a module-path
  KeyStoreScope scope = KeyStoreScope::all;
  DeleteAction on_delete = DeleteAction::destroy;
  std::vector<std::string> aliases;  // of scope `listed`

  bool operator==(const KeyStoreFile&) const = default;
};

// The first line of every key store file.
inline constexpr std::string_view kKeyStoreMagic = "# Keystay key store, version 1";

// Whether these are the first bytes of a key store file. At least the magic's length must be given.
[[nodiscard]] bool is_key_store(std::string_view first_bytes) noexcept;

// `file` is for messages only. Throws Error that names file, line and key.
[[nodiscard]] KeyStoreFile parse_key_store(std::string_view text, const std::filesystem::path& file);
[[nodiscard]] std::string format_key_store(const KeyStoreFile& key_store);

// Throws Error; for a file that does not exist too.
[[nodiscard]] KeyStoreFile read_key_store(const std::filesystem::path& file);

// Reads the file, or begins with `initial` if there is none, lets `change` work on it, and writes it
// atomically if it changed. Only one process at a time is between reading and writing. Throws Error and what
// `change` throws.
void update_key_store(const std::filesystem::path& file, const KeyStoreFile& initial,
                      const std::function<void(KeyStoreFile&)>& change);

}  // namespace keystay::config
