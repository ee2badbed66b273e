// The objects of a token by what joins them, so that each alias is put together without a look at all others.
#pragma once

#include <span>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "native/keys/token_objects.h"

namespace keystay::keys {

struct PublicKeyHash {
  [[nodiscard]] std::size_t operator()(const pkcs11::PublicKey& key) const noexcept;
};
using PublicKeySet = std::unordered_set<pkcs11::PublicKey, PublicKeyHash>;

// Refers to the objects, which must outlive it. Each list is in the order in which the token gave the
// objects.
class ObjectIndex final {
 public:
  explicit ObjectIndex(const TokenObjects& objects);

  // With this CKA_ID.
  [[nodiscard]] std::span<const KeyObject* const> private_keys_with(pkcs11::ByteView id) const;
  [[nodiscard]] std::span<const KeyObject* const> public_keys_with(pkcs11::ByteView id) const;
  [[nodiscard]] std::span<const CertificateObject* const> certificates_with(pkcs11::ByteView id) const;
  // That certify this key.
  [[nodiscard]] std::span<const CertificateObject* const> certificates_of(const pkcs11::PublicKey& key) const;

 private:
  using Id = std::string;

  std::unordered_map<Id, std::vector<const KeyObject*>> private_keys_;
  std::unordered_map<Id, std::vector<const KeyObject*>> public_keys_;
  std::unordered_map<Id, std::vector<const CertificateObject*>> certificates_;
  std::unordered_map<pkcs11::PublicKey, std::vector<const CertificateObject*>, PublicKeyHash> certified_;
};

}  // namespace keystay::keys
