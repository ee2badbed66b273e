// The certificates of a listing, by subject: chains for all aliases without asking the token for each.
#pragma once

#include <map>
#include <vector>

#include "native/keys/chain.h"
#include "native/keys/entry.h"

namespace keystay::jni {

class ListedIssuers final {
 public:
  // The leaves of the entries, which may be issuers too, and the certificates that belong to no key.
  ListedIssuers(const std::vector<keys::Entry>& entries, std::vector<keys::Certificate> others);

  // The leaf of the entry and its issuers; empty without a leaf.
  [[nodiscard]] keys::Chain chain(const keys::Entry& entry, const keys::Pkix& pkix) const;

 private:
  void add(keys::Certificate certificate);

  std::multimap<pkcs11::Bytes, keys::CertificateObject> by_subject_;
};

}  // namespace keystay::jni
