// All of a token's aliases with their chains, as they were when the token was read once.
#pragma once

#include <string>
#include <vector>

#include "native/keys/entry.h"
#include "native/keys/unfinished.h"
#include "native/pkcs11/error.h"

namespace keystay::keys {

struct ListedEntry {
  Entry entry;
  Chain chain;  // as KeyStore::chain
};

// A certificate that belongs to no key and did not come with one: somebody imported it under this name.
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
};

// Those of the certificates that are somebody's own choice: neither of a key, nor without a name, nor issuers
// that came with an alias.
[[nodiscard]] std::vector<TrustedCertificate> trusted_among(
    const std::vector<CertificateObject>& certificates, const std::vector<Entry>& entries);

// Puts together what was read: `entries` are joined from the same certificates.
[[nodiscard]] Listing listing_of(std::vector<Entry> entries,
                                 const std::vector<CertificateObject>& certificates, const Pkix& pkix);

// In the order of their labels and ids.
[[nodiscard]] std::vector<UnreadableObject> unreadable_objects(const TokenObjects& objects);

// `key "web"` or `certificate with id 01ab`, for messages.
[[nodiscard]] std::string name_of(const UnreadableObject& object);

// That it cannot be used, and why: `alias "web" cannot be used: its CKA_EC_POINT …`.
[[nodiscard]] pkcs11::Error unusable(const UnreadableObject& object);

}  // namespace keystay::keys
