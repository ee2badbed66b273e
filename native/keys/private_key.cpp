#include "native/keys/private_key.h"

#include <stdexcept>
#include <utility>

namespace keystay::keys {

PrivateKey::PrivateKey(std::shared_ptr<pkcs11::KeyOperations> operations, pkcs11::KeyReference reference)
    : operations_(std::move(operations)),
      reference_(std::make_shared<const pkcs11::KeyReference>(std::move(reference))) {
  if (!reference_->public_key()) throw std::invalid_argument("a private key without its public key");
  signature_size_ = pkcs11::signature_size(*reference_->public_key());
}

std::size_t PrivateKey::sign(const pkcs11::SignMechanism& mechanism, pkcs11::ByteView data,
                             std::span<std::uint8_t> signature) const {
  return operations_->sign(*reference_, mechanism, data, signature, operations_->deadline());
}

std::size_t PrivateKey::decrypt(const pkcs11::DecryptMechanism& mechanism, pkcs11::ByteView ciphertext,
                                std::span<std::uint8_t> plaintext) const {
  return operations_->decrypt(*reference_, mechanism, ciphertext, plaintext, operations_->deadline());
}

void PrivateKey::derive(pkcs11::ByteView peer_point, std::span<std::uint8_t> secret) const {
  operations_->derive(*reference_, peer_point, secret, operations_->deadline());
}

}  // namespace keystay::keys
