// What key to generate, in keytool's words: -keyalg and -keysize or -groupname.
#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "native/pkcs11/curve.h"

namespace keystay::keys {

struct RsaSpec {
  unsigned modulus_bits;  // 2048 to 4096
};
struct CurveSpec {
  const pkcs11::Curve* curve;  // one of pkcs11::curves()
};
using KeySpec = std::variant<RsaSpec, CurveSpec>;

// What a key is made for. What is not asked for, the token refuses for the life of the key.
enum class KeyUse {
  sign,               // CKA_SIGN; X25519 keys, which cannot, have CKA_DERIVE in any case
  sign_and_exchange,  // and CKA_DECRYPT for RSA, CKA_DERIVE for EC: TLS_RSA_*, ECDH, S/MIME
  exchange,           // CKA_DECRYPT or CKA_DERIVE alone
};

// From -keyalg (RSA, EC, Ed25519, EdDSA, X25519), -keysize (0: the default) and -groupname (empty: the
// default). Throws pkcs11::Error (client) that names the accepted values.
[[nodiscard]] KeySpec key_spec(std::string_view algorithm, unsigned size, std::string_view group_name);

}  // namespace keystay::keys
