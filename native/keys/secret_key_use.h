// What an alias's secret key is used for: in one part by its token's operations (pkcs11::Operation), and MACs
// of messages of any length.
#pragma once

#include <functional>

#include "native/keys/key_source.h"
#include "native/keys/secret_key.h"

namespace keystay::keys {

// The next part of a message; empty at its end. It is valid until the next call.
using NextPart = std::function<pkcs11::ByteView()>;

// The HMAC over the parts that `rewind` begins to give: by one token, with one session, and from the
// beginning by another one where that was lost. Throws pkcs11::Error.
[[nodiscard]] pkcs11::Bytes mac(KeySource& source, const SecretKey& key, pkcs11::Hash hash,
                                const std::function<NextPart()>& rewind);

}  // namespace keystay::keys
