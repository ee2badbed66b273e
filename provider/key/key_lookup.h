// From names to keys: what a URI or a PEM reference file stands for.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "native/keys/key_store.h"
#include "provider/key/key.h"

namespace keystay::provider {

// A public key alone, in software.
[[nodiscard]] KeyPtr public_key(Context& context, PublicHalf half);

// The key of a PEM reference: a private one, or with type=public a public one. One that carries its public
// key is made without touching token, module or PIN; any other is looked up on the token. Throws Error,
// pkcs11::Error, config::Error.
[[nodiscard]] KeyPtr key_of_reference(Context& context, const pkcs11::Uri& uri);

// Of a reference that carries its public key, the type; null if only the token knows. Throws Error.
[[nodiscard]] const KeyType* stated_type(const pkcs11::Uri& uri);

// For messages, behind "no key": what the object is called, and that label and id must both be its own.
[[nodiscard]] std::string named_by(const std::string& label, pkcs11::ByteView id);

// What to do about a key that is not there: list them, or log in, without which private keys do not show.
[[nodiscard]] std::string how_to_find_keys(const keys::KeySource& source);

// A key on a token. Throws Error if this provider has no operations for its type.
[[nodiscard]] KeyPtr key_on_token(Context& context, const keys::KeySource& source, const keys::Entry& entry);

}  // namespace keystay::provider
