// The aliases that a command works on: those of one token, as far as a key store file lets them be seen.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "keystore-tools/store_options.h"
#include "native/config/key_store_file.h"
#include "native/keys/key_store.h"
#include "native/keys/tokens.h"
#include "native/x509/openssl_pkix.h"

namespace keystay::tools {

// What it does to the token it also writes to the list of the key store file, if that has one.
class AliasStore final {
 public:
  // Reads the configuration and the key store file; the token is opened at its first use. Throws
  // config::Error, and Failure for a key store file that is missing.
  AliasStore(const StoreOptions& options, MissingKeyStore missing);

  [[nodiscard]] std::vector<keys::Entry> entries();
  // The certificates that belong to no key of the token, under the aliases they were imported by.
  [[nodiscard]] std::vector<keys::TrustedCertificate> trusted_entries();

  // Keys and certificates of the token that nothing can be done with.
  [[nodiscard]] std::vector<keys::UnreadableObject> unreadable();

  // A key.
  [[nodiscard]] std::optional<keys::Entry> find(std::string_view alias);
  // Throws Failure if there is no such key; says so if the alias is a trusted certificate.
  [[nodiscard]] keys::Entry require_key(std::string_view alias);
  // A key or a trusted certificate that the name means for use. Throws Failure if there is none, Error that
  // says why if it cannot be used.
  [[nodiscard]] keys::Named require(std::string_view alias);
  // Throws Failure if the key store file is yet to be made: then nothing says that the command may change an
  // alias that exists.
  void require_key_store() const;

  // The alias comes to be in one step, after `certify` has given the chain for its key; an empty one is none.
  // If anything fails, nothing remains.
  using Certify = std::function<keys::Chain(const keys::Entry&)>;
  keys::Entry generate(std::string_view alias, const keys::KeySpec& spec, const Certify& certify);
  void add_trusted(std::string_view alias, const keys::Certificate& certificate);
  // Throws Failure if `alias` is no key, or `new_alias` exists.
  void rename(std::string_view alias, std::string_view new_alias);
  // What interrupted commands have left, as far as it has no name that the key store file does not list.
  [[nodiscard]] std::vector<keys::Unfinished> unfinished();
  // Throws Failure if the key store file is one that destroys nothing.
  void remove_unfinished(const std::vector<keys::Unfinished>& shown);
  // Destroys or forgets the key or certificate, as the key store file wants it, also one that cannot be used.
  // Throws Failure if there is none.
  void remove(std::string_view alias);

  [[nodiscard]] keys::KeyStore& keys() { return keys_; }
  [[nodiscard]] const keys::Pkix& pkix() const { return pkix_; }

 private:
  struct Source;
  explicit AliasStore(Source source);

  [[nodiscard]] bool listed(std::string_view alias) const;
  [[nodiscard]] keys::Named require_listed(std::string_view alias, std::optional<keys::Named> named);
  void update_list(const std::function<void(config::KeyStoreFile&)>& change);
  keys::Entry name(const keys::Entry& unfinished, std::string_view alias);
  void add_to_list(std::string_view alias);
  void take_off_list(std::string_view alias);
  void take_off_list_unless_there(std::string_view alias);

  std::filesystem::path file_;  // of the key store; empty: none
  bool file_is_missing_;        // until the first alias makes it
  config::KeyStoreFile key_store_;
  x509::OpenSslPkix pkix_;
  keys::KeyStore keys_;
};

}  // namespace keystay::tools
