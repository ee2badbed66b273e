#include "native/pkcs11/public_key.h"

#include "native/pkcs11/curve.h"
#include "native/pkcs11/error.h"

namespace keystay::pkcs11 {
namespace {

std::size_t curve_signature_size(ByteView parameters) {
  if (const Curve* curve = find_curve_by_parameters(parameters)) return curve->signature_size;
  throw Error(ErrorClass::client, "the key's curve (CKA_EC_PARAMS) is none that Keystay knows");
}

struct KeyType {
  CK_KEY_TYPE operator()(const RsaPublicKey&) const noexcept { return CKK_RSA; }
  CK_KEY_TYPE operator()(const EcPublicKey&) const noexcept { return CKK_EC; }
  CK_KEY_TYPE operator()(const EdwardsPublicKey&) const noexcept { return CKK_EC_EDWARDS; }
  CK_KEY_TYPE operator()(const MontgomeryPublicKey&) const noexcept { return kMontgomeryKey; }
};

struct SignatureSize {
  std::size_t operator()(const RsaPublicKey& key) const { return key.modulus.size(); }
  std::size_t operator()(const auto& key) const { return curve_signature_size(key.parameters); }
};

}  // namespace

CK_KEY_TYPE key_type(const PublicKey& key) noexcept { return std::visit(KeyType{}, key); }

std::size_t signature_size(const PublicKey& key) { return std::visit(SignatureSize{}, key); }

}  // namespace keystay::pkcs11
