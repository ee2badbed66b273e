// The aliases that a command works on: those of one token, as far as a key store file lets them be seen.
#pragma once

#include "keystore-tools/store_options.h"
#include "native/keys/alias_store.h"
#include "native/keys/kept_file.h"
#include "native/keys/key_store.h"
#include "native/x509/openssl_pkix.h"

namespace keystay::tools {

using keys::AliasStore;

// Its AliasStore changes the list of the file, if there is one, with the token.
class OpenedStore final {
 public:
  // Reads the configuration and the key store file; the token is opened at its first use. Throws
  // config::Error, and Failure for a key store file that is missing or is for another token than -token.
  OpenedStore(const StoreOptions& options, MissingKeyStore missing);
  OpenedStore(const OpenedStore&) = delete;
  OpenedStore& operator=(const OpenedStore&) = delete;

  [[nodiscard]] AliasStore& aliases() noexcept { return aliases_; }

  // Throws Failure unless the configuration that `options`, those of this store, name lets private keys that
  // were made elsewhere come to the token, or to all members of the group.
  void require_import(const StoreOptions& options) const;

 private:
  void report_made(const std::filesystem::path& file);

  keys::KeptFile file_;
  x509::OpenSslPkix pkix_;
  keys::KeyStore keys_;
  AliasStore aliases_;
};

}  // namespace keystay::tools
