// What commands have left on a token that did not come to their end: killed, or cut off from the token. None
// of it is an alias or a trusted certificate. It stays until an operator removes it who knows that no program
// is still at it.
#pragma once

#include <optional>
#include <string>

#include "native/pkcs11/public_key.h"

namespace keystay::keys {

enum class Leftover {
  unnamed,      // has an unfinished label, and is no part of an alias: a key or certificate in the making
  claim,        // a private key beside an alias of the same name, to which it lost: see naming.h
  public_half,  // of a key pair that this token made (CKA_LOCAL) and whose private key is gone
  leaf,         // a certificate of such a public key, under the same name or id
  issuer,       // came with a chain, and is in that of no alias
  label,        // belongs to an alias, and only its label is unfinished
  superseded,  // of an alias that has another one by now: the leaf that an importcert was about to delete, or
               // the public key object that a key without CKA_ID had under another name
};

struct Unfinished {
  Leftover leftover;
  CK_OBJECT_CLASS object_class;
  std::string label;
  pkcs11::Bytes id;
  std::string alias;  // for label and superseded: whose it is
  // That it states or certifies, which joins what is of one key.
  std::optional<pkcs11::PublicKey> public_key{};

  [[nodiscard]] bool is_same(const Unfinished& other) const {
    return object_class == other.object_class && label == other.label && id == other.id;
  }
};

}  // namespace keystay::keys
