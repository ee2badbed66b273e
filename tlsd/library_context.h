// OpenSSL as tlsd uses it: a library context of its own, which no openssl.cnf changes, with the providers
// `default` and, where keys live on tokens, `keystay`.
#pragma once

#include <filesystem>

#include "native/async/abandon.h"
#include "native/config/provider_capability.h"
#include "tlsd/openssl_handles.h"

namespace keystay::tlsd {

// Where keystay.so is: `../ossl-modules` beside the program if it is there (a build tree), else the directory
// that was fixed when tlsd was built.
[[nodiscard]] std::filesystem::path module_directory();

class LibraryContext final {
 public:
  // With the provider `default`. Throws CryptoError.
  LibraryContext();

  // Loads the provider `keystay` from this directory, which reads this file, whatever the environment says.
  // Throws CryptoError.
  void load_keystay(const std::filesystem::path& directory, const std::filesystem::path& configuration);
  [[nodiscard]] bool has_keystay() const noexcept { return keystay_ != nullptr; }

  // Keys that are loaded from now on use the tokens as the file describes them now. Throws CryptoError.
  void reload_tokens() const;

  [[nodiscard]] OSSL_LIB_CTX* get() const noexcept { return library_.get(); }

  // How to give up a signature that is under way; null if the provider does not offer it.
  [[nodiscard]] async::AbandonFunction abandon() const noexcept { return abandon_; }

 private:
  LibraryHandle library_;
  ProviderHandle default_;  // after library_: unloaded before it is freed
  ProviderHandle keystay_;
  async::AbandonFunction abandon_ = nullptr;
  config::ReloadFunction reload_ = nullptr;
  void* reload_argument_ = nullptr;
};

}  // namespace keystay::tlsd
