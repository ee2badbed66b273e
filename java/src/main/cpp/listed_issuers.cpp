#include "java/src/main/cpp/listed_issuers.h"

#include <utility>

namespace keystay::jni {

ListedIssuers::ListedIssuers(const std::vector<keys::Entry>& entries, std::vector<keys::Certificate> others) {
  for (const keys::Entry& entry : entries) {
    if (entry.leaf) add(*entry.leaf);
  }
  for (keys::Certificate& certificate : others) add(std::move(certificate));
}

void ListedIssuers::add(keys::Certificate certificate) {
  pkcs11::Bytes subject = certificate.subject;
  by_subject_.emplace(std::move(subject),
                      keys::CertificateObject{CK_INVALID_HANDLE, {}, {}, std::move(certificate)});
}

keys::Chain ListedIssuers::chain(const keys::Entry& entry, const keys::Pkix& pkix) const {
  if (!entry.leaf) return {};
  return keys::build_chain(*entry.leaf, pkix, [this](pkcs11::ByteView subject) {
    std::vector<keys::CertificateObject> found;
    const auto [first, last] = by_subject_.equal_range(pkcs11::Bytes(subject.begin(), subject.end()));
    for (auto at = first; at != last; ++at) found.push_back(at->second);
    return found;
  });
}

}  // namespace keystay::jni
