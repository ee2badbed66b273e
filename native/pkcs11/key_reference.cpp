#include "native/pkcs11/key_reference.h"

#include <functional>
#include <utility>

#include "native/pkcs11/text.h"

namespace keystay::pkcs11 {
namespace {

// Every part with its length before it, so that no two different references read alike.
void append(std::string& identity, ByteView part) {
  identity.append(std::to_string(part.size())).push_back(':');
  identity.append(part.begin(), part.end());
}

struct AppendKey {
  std::string& identity;
  void operator()(const RsaPublicKey& key) const {
    append(identity, key.modulus);
    append(identity, key.public_exponent);
  }
  void operator()(const auto& key) const {
    append(identity, key.parameters);
    append(identity, key.point);
  }
};

}  // namespace

KeyReference::KeyReference(Bytes id, std::string label, CK_KEY_TYPE type, std::optional<PublicKey> public_key)
    : id_(std::move(id)), label_(std::move(label)), type_(type), public_key_(std::move(public_key)) {
  identity_ = std::to_string(type_) + ';';
  append(identity_, id_);
  append(identity_, {reinterpret_cast<const std::uint8_t*>(label_.data()), label_.size()});
  if (public_key_) std::visit(AppendKey{identity_}, *public_key_);
  identity_hash_ = std::hash<std::string>{}(identity_);
}

KeyReference KeyReference::with_proof() const {
  KeyReference key = *this;
  if (key.proof_ == Proof::wanted) return key;
  key.proof_ = Proof::wanted;
  key.identity_ += "proof";  // what was found without is not found for this
  key.identity_hash_ = std::hash<std::string>{}(key.identity_);
  return key;
}

CK_OBJECT_CLASS KeyReference::object_class() const noexcept {
  switch (type_) {
    case CKK_RSA:
    case CKK_DSA:
    case CKK_DH:
    case CKK_EC:
    case CKK_X9_42_DH:
    case CKK_KEA:
    case CKK_EC_EDWARDS:
    case kMontgomeryKey:
      return CKO_PRIVATE_KEY;
    default:
      return CKO_SECRET_KEY;
  }
}

std::string KeyReference::name() const {
  return label_.empty() ? "key id:" + hex(id_) : "alias \"" + label_ + "\"";
}

}  // namespace keystay::pkcs11
