#include "native/keys/chain.h"

#include <algorithm>

#include "native/keys/entry.h"
#include "native/pkcs11/text.h"

namespace keystay::keys {
namespace {

constexpr std::string_view kIssuerPrefix = "issuer-";

// No chain of the Web's PKI comes near; a token that anybody may write to must not make us walk for ever.
constexpr std::size_t kLongestChain = 16;

bool contains(const Chain& chain, const Certificate& certificate) {
  return std::any_of(chain.begin(), chain.end(),
                     [&](const Certificate& c) { return c.der == certificate.der; });
}

}  // namespace

Chain build_chain(const Certificate& leaf, const Pkix& pkix, const IssuerSearch& search) {
  Chain chain{leaf};
  while (!chain.back().self_issued() && chain.size() < kLongestChain) {
    const Certificate& last = chain.back();
    const std::vector<CertificateObject> candidates = search(last.issuer);
    const Certificate* issuer = nullptr;
    for (const CertificateObject& candidate : candidates) {
      if (candidate.certificate.subject != last.issuer || contains(chain, candidate.certificate)) continue;
      if (!pkix.issued_by(last, candidate.certificate)) continue;
      if (!issuer || preferred(candidate.certificate, *issuer)) issuer = &candidate.certificate;
    }
    if (!issuer) break;
    chain.push_back(*issuer);
  }
  return chain;
}

std::string issuer_label(pkcs11::ByteView id) { return std::string(kIssuerPrefix) + pkcs11::hex(id); }

bool is_issuer_label(std::string_view label) { return label.starts_with(kIssuerPrefix); }

}  // namespace keystay::keys
