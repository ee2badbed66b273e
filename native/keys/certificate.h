// A certificate as the alias rules see it: the DER and the fields that join it to keys and issuers.
#pragma once

#include <chrono>
#include <optional>
#include <vector>

#include "native/keys/name.h"
#include "native/pkcs11/public_key.h"

namespace keystay::keys {

struct Certificate {
  pkcs11::Bytes der;
  pkcs11::Bytes subject;        // DER Name: CKA_SUBJECT
  pkcs11::Bytes issuer;         // DER Name: CKA_ISSUER
  pkcs11::Bytes serial_number;  // DER INTEGER: CKA_SERIAL_NUMBER
  std::chrono::system_clock::time_point not_before;
  std::chrono::system_clock::time_point not_after;
  std::optional<pkcs11::PublicKey> public_key;  // nothing for algorithms that no Keystay key has

  // By basicConstraints and keyUsage (RFC 5280, sections 4.2.1.9 and 4.2.1.3); also a self-issued certificate
  // of a version that has no extensions.
  bool is_ca = false;

  // Subject and issuer are the same name. A root is more: chain.h, is_self_signed().
  [[nodiscard]] bool self_issued() const { return same_name(subject, issuer); }
};

// A chain: the leaf first, each certificate followed by its issuer.
using Chain = std::vector<Certificate>;

// For messages: the key of a certificate that states none of ours.
inline constexpr const char* kForeignKey =
    "a public key that Keystay does not use: of another algorithm, or on a curve that is written out "
    "(explicit "
    "parameters, which RFC 5480 forbids) instead of named";

}  // namespace keystay::keys
