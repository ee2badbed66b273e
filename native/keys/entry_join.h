// The rules by which an alias is put together from the objects of a token.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "native/keys/entry.h"
#include "native/keys/object_index.h"

namespace keystay::keys {

struct PublicHalf {
  pkcs11::PublicKey key;
  PublicHalfSource source;
};

// The public half of a private key: from itself, from the public key object or the certificate with its
// CKA_ID; where several have that, from the one with its label, or from the one that no other private key can
// have. Nothing if that is not told: there is no first hit. Of a key without a CKA_ID, from the only public
// key object without one that has its label.
[[nodiscard]] std::optional<PublicHalf> public_half(const KeyObject& key, const ObjectIndex& objects);

// Why a public key object without a public key states none: completes "of the object, …".
[[nodiscard]] std::string fault_of_public(const KeyObject& object);

// Why the public half of a key is not known, for a message: "its CKA_EC_POINT …".
[[nodiscard]] std::string why_unknown(const KeyObject& key, const ObjectIndex& objects);

// The leaf of a key: of the certificates with its public key those with its CKA_ID, else those with its
// label, else any; of these the one that is valid now and began last.
[[nodiscard]] const CertificateObject* leaf_of(const KeyObject& key, const pkcs11::PublicKey& public_key,
                                               const ObjectIndex& objects);

// Nothing if the public half is not known: such a key can be named to no peer.
[[nodiscard]] std::optional<Entry> join(const KeyObject& key, const ObjectIndex& objects,
                                        std::shared_ptr<pkcs11::KeyOperations> operations);

}  // namespace keystay::keys
