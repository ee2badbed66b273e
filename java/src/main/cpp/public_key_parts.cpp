#include "java/src/main/cpp/public_key_parts.h"

#include <stdexcept>
#include <utility>

#include "org_keystay_jca_NativeCodes.h"

namespace keystay::jni {

bool has_parts(const pkcs11::PublicKey& key) noexcept {
  return !std::holds_alternative<pkcs11::MontgomeryPublicKey>(key);
}

PublicKeyParts parts(const pkcs11::PublicKey& key) {
  struct Visitor {
    PublicKeyParts operator()(const pkcs11::RsaPublicKey& rsa) const {
      return {org_keystay_jca_NativeCodes_RSA_KEY, rsa.modulus, rsa.public_exponent};
    }
    PublicKeyParts operator()(const pkcs11::EcPublicKey& ec) const {
      return {org_keystay_jca_NativeCodes_EC_KEY, ec.parameters, ec.point};
    }
    PublicKeyParts operator()(const pkcs11::EdwardsPublicKey& edwards) const {
      return {org_keystay_jca_NativeCodes_EDWARDS_KEY, edwards.parameters, edwards.point};
    }
    PublicKeyParts operator()(const pkcs11::MontgomeryPublicKey&) const {
      throw std::invalid_argument("Java has no use for keys of this kind here");
    }
  };
  return std::visit(Visitor{}, key);
}

pkcs11::PublicKey assemble(jint type, pkcs11::Bytes first, pkcs11::Bytes second) {
  switch (type) {
    case org_keystay_jca_NativeCodes_RSA_KEY:
      return pkcs11::RsaPublicKey{std::move(first), std::move(second)};
    case org_keystay_jca_NativeCodes_EC_KEY:
      return pkcs11::EcPublicKey{std::move(first), std::move(second)};
    case org_keystay_jca_NativeCodes_EDWARDS_KEY:
      return pkcs11::EdwardsPublicKey{std::move(first), std::move(second)};
    default:
      throw std::invalid_argument("no public key has this type");
  }
}

}  // namespace keystay::jni
