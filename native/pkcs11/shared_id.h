// Private keys of one CKA_ID and type, which PKCS #11 does not forbid: which objects with that CKA_ID are
// whose is told by CKA_LABEL then, or by nothing.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include "native/pkcs11/key_object.h"

namespace keystay::pkcs11 {

// An object with the CKA_ID that shows a public half of the type. Refers to the object.
struct ShownHalf {
  std::string_view label;
  const PublicKey* key;
};

struct SharedHalves {
  std::vector<PublicKey> keys;  // each once
  std::size_t objects = 0;      // that show them
  std::size_t claimants = 0;    // private keys of which all this says the same
};

// What is shown for a private key: by the objects with its label; where there are none, by those that have
// no other private key's label. `private_keys` are all of this CKA_ID and type that do not state a public
// half themselves, this one among them.
[[nodiscard]] SharedHalves halves_shown_for(const KeyObject& key,
                                            std::span<const KeyObject* const> private_keys,
                                            std::span<const ShownHalf> shown);

}  // namespace keystay::pkcs11
