// All of a token's aliases with their chains, as they were when the token was read once.
#pragma once

#include <string>
#include <vector>

#include "native/keys/entry.h"

namespace keystay::keys {

struct ListedEntry {
  Entry entry;
  Chain chain;  // as KeyStore::chain
};

// A certificate that belongs to no key and did not come with one: somebody imported it under this name.
struct TrustedCertificate {
  std::string label;
  Certificate certificate;
};

struct Listing {
  std::vector<ListedEntry> entries;  // in the order of their names
  std::vector<TrustedCertificate> trusted;
  // What would be among these if it could be read: private keys without a public half, and certificates.
  std::vector<UnreadableObject> unreadable{};
};

// Puts together what was read: `entries` are joined from the same certificates.
[[nodiscard]] Listing listing_of(std::vector<Entry> entries,
                                 const std::vector<CertificateObject>& certificates, const Pkix& pkix);

// In the order of their labels.
[[nodiscard]] std::vector<UnreadableObject> unreadable_objects(const TokenObjects& objects);

// `key "web"` or `certificate with id 01ab`, for messages.
[[nodiscard]] std::string name_of(const UnreadableObject& object);

}  // namespace keystay::keys
