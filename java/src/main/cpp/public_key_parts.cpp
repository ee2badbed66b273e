#include "java/src/main/cpp/public_key_parts.h"

#include <stdexcept>
#include <utility>

namespace keystay::jni {

bool has_parts(const pkcs11::PublicKey& key) noexcept {
  return !std::holds_alternative<pkcs11::MontgomeryPublicKey>(key);
}

PublicKeyParts parts(const pkcs11::PublicKey& key) {
  struct Visitor {
    PublicKeyParts operator()(const pkcs11::RsaPublicKey& rsa) const {
      return {PublicKeyType::rsa, rsa.modulus, rsa.public_exponent};
    }
    PublicKeyParts operator()(const pkcs11::EcPublicKey& ec) const {
      return {PublicKeyType::ec, ec.parameters, ec.point};
    }
    PublicKeyParts operator()(const pkcs11::EdwardsPublicKey& edwards) const {
      return {PublicKeyType::edwards, edwards.parameters, edwards.point};
    }
    PublicKeyParts operator()(const pkcs11::MontgomeryPublicKey&) const {
      throw std::invalid_argument("Java has no use for keys of this kind here");
    }
  };
  return std::visit(Visitor{}, key);
}

pkcs11::PublicKey assemble(int type, pkcs11::Bytes first, pkcs11::Bytes second) {
  switch (static_cast<PublicKeyType>(type)) {
    case PublicKeyType::rsa:
      return pkcs11::RsaPublicKey{std::move(first), std::move(second)};
    case PublicKeyType::ec:
      return pkcs11::EcPublicKey{std::move(first), std::move(second)};
    case PublicKeyType::edwards:
      return pkcs11::EdwardsPublicKey{std::move(first), std::move(second)};
  }
  throw std::invalid_argument("no public key has this type");
}

}  // namespace keystay::jni
