// The token that a URI means without naming one.
#pragma once

#include <memory>

#include "native/keys/key_source.h"
#include "native/pkcs11/uri.h"
#include "provider/context.h"

namespace keystay::provider {

// As keys::Tokens::token. Of several tokens of one module that the URI may mean, as it states neither `token`
// nor `serial`, the one that shows a public key object or a certificate with the key's label and id: without
// a login, because a PIN that belongs to one token is a failed attempt at another. Throws Error if none does,
// or more than one; pkcs11::Error, config::Error.
[[nodiscard]] std::shared_ptr<keys::KeySource> source_of(Context& context, const pkcs11::Uri& uri);

}  // namespace keystay::provider
