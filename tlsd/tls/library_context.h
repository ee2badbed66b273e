// OpenSSL as tlsd uses it: a library context of its own, which no openssl.cnf changes, with the providers
// `default` and, where keys live on tokens, `keystay`.
#pragma once

#include <filesystem>

#include "native/async/abandon.h"
#include "native/config/group_capability.h"
#include "native/config/provider_capability.h"
#include "native/config/signer_capability.h"
#include "tlsd/tls/openssl_handles.h"

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
  // Whether a restart could log in to the tokens that were used since. Throws CryptoError.
  void check_tokens() const;
  // Undoes it: keys that are loaded from now on use the tokens as they were described before.
  void restore_tokens() const noexcept;

  // How the members of the groups are; reads it into `report` one by one.
  void report_groups(config::GroupMemberFunction report, void* argument) const noexcept;

  // How much the tokens have to do; likewise.
  void report_signers(config::SignerFunction report, void* argument) const noexcept;

  [[nodiscard]] OSSL_LIB_CTX* get() const noexcept { return library_.get(); }

  // How to give up a signature that is under way; null if the provider does not offer it.
  [[nodiscard]] async::AbandonFunction abandon() const noexcept { return abandon_; }

 private:
  LibraryHandle library_;
  ProviderHandle default_;  // after library_: unloaded before it is freed
  ProviderHandle keystay_;
  async::AbandonFunction abandon_ = nullptr;
  config::ReloadFunction reload_ = nullptr;
  config::ReloadFunction check_ = nullptr;
  config::ReloadFunction restore_ = nullptr;
  void* reload_argument_ = nullptr;
  config::GroupReportFunction report_groups_ = nullptr;
  void* groups_argument_ = nullptr;
  config::SignerReportFunction report_signers_ = nullptr;
  void* signers_argument_ = nullptr;
};

// The first of the two phases of a reload: the tokens are read again, and are again what they were before
// unless commit() says that all the rest of the file was right, too.
class TokenReload final {
 public:
  // Throws CryptoError, and then nothing has changed.
  explicit TokenReload(const LibraryContext& library) : library_(library) { library_.reload_tokens(); }
  TokenReload(const TokenReload&) = delete;
  TokenReload& operator=(const TokenReload&) = delete;
  ~TokenReload() {
    if (!committed_) library_.restore_tokens();
  }

  // When all keys were loaded. Throws CryptoError.
  void commit() {
    library_.check_tokens();
    committed_ = true;
  }

 private:
  const LibraryContext& library_;
  bool committed_ = false;
};

}  // namespace keystay::tlsd
