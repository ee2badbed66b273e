#include "native/keys/private_key.h"

#include <stdexcept>
#include <utility>

namespace keystay::keys {
namespace {

pkcs11::KeyReference reference_for(const pkcs11::KeyOperations* operations, pkcs11::KeyReference reference) {
  return operations && operations->on_several_tokens() ? reference.with_proof() : std::move(reference);
}

}  // namespace

PrivateKey::PrivateKey(std::shared_ptr<pkcs11::KeyOperations> operations, pkcs11::KeyReference reference)
    : operations_(std::move(operations)),
      reference_(std::make_shared<const pkcs11::KeyReference>(
          reference_for(operations_.get(), std::move(reference)))) {
  if (!reference_->public_key()) throw std::invalid_argument("a private key without its public key");
  signature_size_ = pkcs11::signature_size(*reference_->public_key());
}

}  // namespace keystay::keys
