// A certificate from the CA onto the token, in one go: whatever fails, the alias is what it was, or is not
// there as it was not.
#pragma once

#include <string>
#include <string_view>

#include "keystore-tools/acme/certification.h"
#include "native/keys/key_spec.h"

namespace keystay::tools::acme {

struct Issued {
  keys::Certificate leaf;
  std::size_t chain_length = 0;
};

// For the key that the alias has. `store` is the one of the certification, for all of these.
[[nodiscard]] Issued issue_for_key(AliasStore& store, Certification& certification, const keys::Entry& entry,
                                   const CompleteCertificate& wanted);

// For a key that is made for it: the alias comes to be with its certificate.
[[nodiscard]] Issued issue_for_new_key(AliasStore& store, Certification& certification,
                                       const std::string& alias, const keys::KeySpec& spec,
                                       const CompleteCertificate& wanted);

// For a new key like the alias's, to which the alias goes over; the old one is kept as a version (rotate.h).
[[nodiscard]] Issued issue_by_rotation(AliasStore& store, Certification& certification,
                                       const keys::Entry& current, const CompleteCertificate& wanted);

}  // namespace keystay::tools::acme
