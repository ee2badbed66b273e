// The token that a URI means without naming one.
#pragma once

#include <memory>

#include "native/keys/key_source.h"
#include "native/pkcs11/uri.h"
#include "provider/context.h"

namespace keystay::provider {

// What is looked for: by the URI's `type`, and by what the application expects.
struct Wanted {
  bool private_key;
  bool public_key;
  bool certificates;
};

// As keys::Tokens::source. Where the URI states neither `token`, `serial` nor `module-path`, and there are
// several configured tokens: the one that has the object. All are looked at without a login first. Those that
// show a public key or a certificate of that name are then asked for the private key, if one is wanted; the
// others are logged in to, with a PIN of their own, only where none of these has it. A token that fails is
// left out, and is an error only where no other has the object.
//
// Of several tokens of one module (pkcs11-module-path), the one that shows such an object: without a login,
// because a PIN that belongs to one token is a failed attempt at another.
//
// Throws Error if no token has the object, with what each one said, or if several have; pkcs11::Error,
// config::Error.
[[nodiscard]] std::shared_ptr<keys::KeySource> source_of(Context& context, const pkcs11::Uri& uri,
                                                         const Wanted& wanted);

}  // namespace keystay::provider
