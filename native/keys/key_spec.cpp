#include "native/keys/key_spec.h"

#include "native/pkcs11/error.h"
#include "native/pkcs11/text.h"

namespace keystay::keys {
namespace {

using pkcs11::Curve;
using pkcs11::equal_ignoring_case;
using pkcs11::Error;
using pkcs11::ErrorClass;

KeySpec rsa(unsigned size) {
  const unsigned bits = size ? size : 3072;
  if (bits < 2048 || bits > 8192 || bits % 8 != 0) {
    throw Error(ErrorClass::client, "RSA keys have 2048 to 8192 bits, not " + std::to_string(bits));
  }
  return RsaSpec{bits};
}

std::string known_curves(CK_KEY_TYPE type) {
  std::string names;
  for (const Curve& curve : pkcs11::curves()) {
    if (curve.key_type == type) names.append(names.empty() ? "" : ", ").append(curve.name);
  }
  return names;
}

KeySpec curve_named(std::string_view name, CK_KEY_TYPE type) {
  const Curve* curve = pkcs11::find_curve(name);
  if (curve && curve->key_type == type) return CurveSpec{curve};
  throw Error(ErrorClass::client, "unknown curve \"" + std::string(name) + "\"; use " + known_curves(type));
}

// keytool's -keyalg EC takes a size in the place of a curve.
KeySpec ec(unsigned size, std::string_view group_name) {
  if (!group_name.empty()) return curve_named(group_name, CKK_EC);
  switch (size) {
    case 0:
    case 256:
      return curve_named("P-256", CKK_EC);
    case 384:
      return curve_named("P-384", CKK_EC);
    case 521:
      return curve_named("P-521", CKK_EC);
    default:
      throw Error(ErrorClass::client, "EC keys have 256, 384 or 521 bits, not " + std::to_string(size));
  }
}

}  // namespace

KeySpec key_spec(std::string_view algorithm, unsigned size, std::string_view group_name) {
  if (equal_ignoring_case(algorithm, "RSA")) return rsa(size);
  if (equal_ignoring_case(algorithm, "EC") || equal_ignoring_case(algorithm, "ECDSA"))
    return ec(size, group_name);
  if (equal_ignoring_case(algorithm, "EdDSA")) {
    return curve_named(group_name.empty() ? "Ed25519" : group_name, CKK_EC_EDWARDS);
  }
  if (equal_ignoring_case(algorithm, "Ed25519") || equal_ignoring_case(algorithm, "Ed448")) {
    return curve_named(algorithm, CKK_EC_EDWARDS);
  }
  if (equal_ignoring_case(algorithm, "X25519")) return curve_named(algorithm, pkcs11::kMontgomeryKey);
  throw Error(ErrorClass::client, "unknown key algorithm \"" + std::string(algorithm) +
                                      "\"; use RSA, EC, EdDSA, Ed25519, Ed448 or X25519");
}

}  // namespace keystay::keys
