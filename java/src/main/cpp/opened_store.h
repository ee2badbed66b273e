// A key store that Java has loaded: the aliases of a token, as far as a key store file shows them.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "java/src/main/cpp/token_store.h"
#include "native/keys/alias_store.h"
#include "native/keys/kept_file.h"

namespace keystay::jni {

// Thread-safe, except that changes of one must wait for each other (AliasStore). Owned by one NativeStore.
class OpenedStore final {
 public:
  // `token` is what TokenStore::open takes, and stands where the file, whose bytes these are, names none;
  // without either the token is an unnamed one (KeptFile). Throws config::Error or pkcs11::Error.
  OpenedStore(const std::optional<std::filesystem::path>& configuration, std::string_view token,
              const std::optional<std::string>& file);
  OpenedStore(const OpenedStore&) = delete;
  OpenedStore& operator=(const OpenedStore&) = delete;

  [[nodiscard]] TokenStore& token() noexcept { return *token_; }
  [[nodiscard]] keys::KeyStore& keys() noexcept { return token_->keys(); }
  [[nodiscard]] keys::AliasStore& aliases() noexcept { return aliases_; }

 private:
  std::shared_ptr<TokenStore> token_;
  keys::KeptFile file_;
  keys::AliasStore aliases_;
};

}  // namespace keystay::jni
