// A token as Java's key stores use it: found by name or URI, unlocked by the store password, its aliases.
#pragma once

#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "java/src/main/cpp/store_pin.h"
#include "native/config/configuration.h"
#include "native/keys/key_store.h"

namespace keystay::jni {

// Thread-safe.
class TokenStore final {
 public:
  // The token of this name in the configuration (empty: its default), or of this "pkcs11:" URI. One object
  // for each token and its settings: opening it again gives the same one, unlocked as it is, for the life of
  // the process. One whose settings in the file have changed ends with the last that uses it. Touches no
  // module. Throws config::Error or pkcs11::Error.
  [[nodiscard]] static std::shared_ptr<TokenStore> open(
      const std::optional<std::filesystem::path>& configuration, std::string_view token);

  TokenStore(const TokenStore&) = delete;
  TokenStore& operator=(const TokenStore&) = delete;

  // What a key store file says to mean this token.
  [[nodiscard]] const std::string& reference() const noexcept { return reference_; }

  // Whether the token wants a PIN that the program has not given and that no configured source holds. Does
  // not log in.
  [[nodiscard]] bool is_locked();

  // Logs in with the store password, or compares it with the PIN that is known. Throws Error
  // (authentication); the token sees a wrong PIN at most once.
  void unlock(pkcs11::Pin pin);

  // Whether keys that were made elsewhere may be brought to the token: keystay.toml says so.
  [[nodiscard]] bool takes_keys() const noexcept {
    return settings_.key_import == config::KeyImport::allowed;
  }

  [[nodiscard]] keys::KeyStore& keys() noexcept { return keys_; }

 private:
  struct Opened;
  TokenStore(Opened opened, const keys::Pkix& pkix);
  [[nodiscard]] static Opened resolve(const std::optional<std::filesystem::path>& configuration,
                                      std::string_view token);
  void take_pin(const StorePin& given);

  std::string identity_;  // equal for equal tokens of equal settings
  std::string reference_;
  config::TokenSettings settings_;  // pin is "prompt" where it is the store password
  std::shared_ptr<keys::KeySource> source_;
  std::shared_ptr<StorePin> pin_;
  keys::KeyStore keys_;
  std::mutex unlocking_;
};

}  // namespace keystay::jni
