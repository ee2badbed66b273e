// All of a token's aliases with their chains, read in two passes, however many there are.
#pragma once

#include <string>
#include <vector>

#include "native/keys/key_store.h"

namespace keystay::jni {

struct ListedEntry {
  keys::Entry entry;
  keys::Chain chain;  // as KeyStore::chain
};

// A certificate that belongs to no key and did not come with one: somebody imported it.
struct TrustedCertificate {
  std::string label;
  keys::Certificate certificate;
};

struct Listing {
  std::vector<ListedEntry> entries;
  std::vector<TrustedCertificate> trusted;
};

[[nodiscard]] Listing list(keys::KeyStore& store, const keys::Pkix& pkix);

// Whether any certificate has this label: one search, no other read.
[[nodiscard]] bool has_certificate(keys::KeyStore& store, std::string_view label);

}  // namespace keystay::jni
