// The alias model: one private key, its leaf certificate and its chain, stored so that other PKCS #11 tools
// see them too. The rules are in docs/design/alias-model.md.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "native/keys/certificate.h"
#include "native/keys/key_spec.h"
#include "native/keys/pkix.h"
#include "native/keys/private_key.h"
#include "native/pkcs11/token.h"

namespace keystay::keys {

// One alias. A snapshot: it does not change when the token does.
struct Entry {
  std::string alias;  // CKA_LABEL, made unique by "#2", "#3" … where several keys share one
  PrivateKey key;
  std::optional<Certificate> leaf;  // the newest valid one that fits the key; nothing for a key without one
};

class KeyStore final {
 public:
  // `pkix` must outlive the key store.
  KeyStore(std::shared_ptr<pkcs11::Token> token, const Pkix& pkix);

  // All aliases of the token, in the order of their names: one search and one batched read per object.
  [[nodiscard]] std::vector<Entry> entries();
  // The alias: CKA_LABEL exactly, else one that differs only in letter case, else "id:<hex>" of CKA_ID.
  // Reads only the objects of that alias. Throws Error if two keys match.
  [[nodiscard]] std::optional<Entry> find(std::string_view alias);
  // The key that all given attributes (CKA_LABEL, CKA_ID; empty means any) match. Throws Error if two keys
  // do.
  [[nodiscard]] std::optional<Entry> find(std::string_view label, pkcs11::ByteView id);

  // The certificate of the entry and its issuers as far as the token has them, each checked by its signature.
  [[nodiscard]] Chain chain(const Entry& entry);
  // The certificates whose label is exactly this and that belong to no key: trusted certificates.
  [[nodiscard]] std::vector<Certificate> trusted_certificates(std::string_view label);

  // Generates a key pair on the token, not extractable. Throws Error if the alias exists.
  Entry generate(std::string_view alias, const KeySpec& spec);
  // Stores the chain (leaf first), new objects before old ones are deleted. Throws Error if the leaf's public
  // key is not the entry's, and changes nothing then.
  void replace_chain(const Entry& entry, const Chain& chain);
  // Stores a certificate that belongs to no key, as a trust anchor for chains.
  void add_certificate(std::string_view label, const Certificate& certificate);
  // Gives the alias another name: key pair and leaf. Throws Error if that name exists.
  void rename(const Entry& entry, std::string_view alias);
  // Destroys the key pair and its leaf, and issuer certificates that no other alias needs.
  void destroy(const Entry& entry);

  [[nodiscard]] pkcs11::Token& token() noexcept { return *token_; }

 private:
  std::shared_ptr<pkcs11::Token> token_;
  const Pkix& pkix_;
};

}  // namespace keystay::keys
