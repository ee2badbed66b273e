// Signatures that are verified before anybody gets them.
#pragma once

#include <functional>
#include <memory>

#include "native/pkcs11/key_operations.h"
#include "native/pkcs11/public_key.h"

namespace keystay::ha {

// Whether it is a signature of the data by this key: data and signature as SignMechanism says of each. By a
// library that this room does not know. Thread-safe. Throws pkcs11::Error if it cannot tell.
using Verifier = std::function<bool(const pkcs11::PublicKey& key, const pkcs11::SignMechanism& mechanism,
                                    pkcs11::ByteView data, pkcs11::ByteView signature)>;

// The same operations; a wrong signature is an Error (server), and the caller does not get it. The operations
// themselves where there is no verifier.
[[nodiscard]] std::shared_ptr<pkcs11::KeyOperations> verified(
    std::shared_ptr<pkcs11::KeyOperations> operations, Verifier verifier);

}  // namespace keystay::ha
