// All of a token's aliases with their chains, as they were when the token was read once.
#pragma once

#include <string>
#include <vector>

#include "native/keys/entry.h"
#include "native/keys/secret_key.h"
#include "native/keys/unfinished.h"
#include "native/pkcs11/error.h"

namespace keystay::keys {

// A private key or an X.509 certificate that nothing can be done with, and why.
struct UnreadableObject {
  CK_OBJECT_CLASS object_class;  // CKO_PRIVATE_KEY or CKO_CERTIFICATE
  std::string label;             // may be empty
  pkcs11::Bytes id;              // may be empty
  std::string reason;            // the rest of a sentence: "its CKA_MODULUS is zero"
};

struct ListedEntry {
  Entry entry;
  Chain chain;  // as KeyStore::chain
};

// A certificate that belongs to no key and did not come with one: it was imported under this name.
struct TrustedCertificate {
  std::string alias;  // its CKA_LABEL, unless a key or another one has that: then as of Entry
  Certificate certificate;
  pkcs11::Bytes id{};                        // CKA_ID
  std::optional<std::string> shared_name{};  // as of Entry

  [[nodiscard]] const std::string& name() const { return shared_name ? *shared_name : alias; }
};

struct Listing {
  std::vector<ListedEntry> entries;         // in the order of their names
  std::vector<TrustedCertificate> trusted;  // likewise
  // What would be among these if it could be read: private keys without a public half, and certificates.
  std::vector<UnreadableObject> unreadable{};
  std::vector<Unfinished> unfinished{};  // what interrupted commands left
  std::vector<SecretKey> secret_keys{};  // in the order of their names
};

// `key "web"` or `certificate with id 01ab`, for messages.
[[nodiscard]] std::string name_of(const UnreadableObject& object);

// That it cannot be used, and why: `alias "web" cannot be used: its CKA_EC_POINT …`.
[[nodiscard]] pkcs11::Error unusable(const UnreadableObject& object);

}  // namespace keystay::keys
