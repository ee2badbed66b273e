// What key is to come to a token: one to generate, in keytool's words (-keyalg and -keysize or -groupname),
// or one that was made elsewhere.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "native/pkcs11/curve.h"
#include "native/pkcs11/public_key.h"

namespace keystay::keys {

struct RsaSpec {
  unsigned modulus_bits;  // 2048 to 8192
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

// Whether a private key can leave its token, wrapped.
enum class Extraction {
  never,         // CKA_NEVER_EXTRACTABLE is true for the life of the key
  until_sealed,  // CKA_EXTRACTABLE is true until seal_private_key()
};

// A key pair that the token is to make.
struct KeyRequest {
  // A specification alone is a request.
  KeyRequest(KeySpec wanted, KeyUse wanted_use = KeyUse::sign, pkcs11::Bytes wanted_id = {})
      : spec(std::move(wanted)), use(wanted_use), id(std::move(wanted_id)) {}

  KeySpec spec;
  KeyUse use;
  pkcs11::Bytes id;  // CKA_ID; empty: the hash of its public key (docs/design/alias-model.md)
  Extraction extraction = Extraction::never;
};

// A key pair that was made elsewhere.
struct SoftwareKey {
  pkcs11::PublicKey public_key;
  // Big-endian: of an RSA key CKA_PRIVATE_EXPONENT, CKA_PRIME_1, CKA_PRIME_2, CKA_EXPONENT_1, CKA_EXPONENT_2
  // and CKA_COEFFICIENT, of any other CKA_VALUE. Borrowed: who owns the bytes wipes them.
  std::vector<pkcs11::ByteView> private_half;
};

}  // namespace keystay::keys
