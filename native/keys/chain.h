// Chains: which certificates lead from a leaf to a root, by name and by signature (RFC 5280, section 6.1; RFC
// 4158 tells what may be met on the way).
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "native/keys/certificate.h"
#include "native/keys/pkix.h"

namespace keystay::keys {

// The most certificates in a chain, the leaf among them: none of the Web's PKI comes near it.
inline constexpr std::size_t kLongestChain = 16;

// Finds the certificates with this subject, a DER Name (see name.h). May give others as well.
using IssuerSearch = std::function<std::vector<Certificate>(pkcs11::ByteView subject)>;

// Builds chains over one set of certificates, and asks and verifies nothing twice. Not thread-safe.
class ChainBuilder final {
 public:
  // `pkix` must outlive it.
  ChainBuilder(const Pkix& pkix, IssuerSearch search) : pkix_(pkix), search_(std::move(search)) {}

  // The leaf and its issuers as far as they are found. Of all paths that cannot go on, by signatures that
  // verify: those first whose issuers are all CAs and valid now; of these, those that end in a self-signed
  // root; of these, the ones with the fewest issuers that are not, the shortest, and the one of the newest.
  // The work is bounded, however many certificates have issued each other.
  [[nodiscard]] Chain build(const Certificate& leaf);

 private:
  friend class PathSearch;

  [[nodiscard]] const std::vector<Certificate>& named(pkcs11::ByteView subject);
  [[nodiscard]] bool verifies(const Certificate& certificate, const Certificate& issuer);

  struct Verified {
    std::optional<pkcs11::PublicKey> key;  // the issuer's
    pkcs11::Bytes der;                     // the issuer, if its key is none that Keystay knows
    bool result;
  };
  const Pkix& pkix_;
  IssuerSearch search_;
  std::map<pkcs11::Bytes, std::vector<Certificate>> named_;  // by canonical name, the preferred first
  std::map<pkcs11::Bytes, std::vector<Verified>> verified_;  // by the certificate's DER
  std::size_t verifications_ = 0;                            // of the chain that is being built
};

[[nodiscard]] Chain build_chain(const Certificate& leaf, const Pkix& pkix, const IssuerSearch& search);

// Certificates that are at hand already. Copies them.
[[nodiscard]] IssuerSearch issuers_among(const std::vector<Certificate>& certificates);

// Whether the chain ends in a self-signed root, and all issuers in it are CAs and valid now.
[[nodiscard]] bool is_complete(const Chain& chain, const Pkix& pkix);

// Self-issued, and by its own key: a root. A certificate by which a CA links its old key with its new one is
// self-issued only (RFC 5280, section 3.2).
[[nodiscard]] bool is_self_signed(const Certificate& certificate, const Pkix& pkix);

// The label of an issuer certificate that came with an alias; only such ones are destroyed with their last
// alias.
[[nodiscard]] std::string issuer_label(pkcs11::ByteView id);
[[nodiscard]] bool is_issuer_label(std::string_view label);

}  // namespace keystay::keys
