// A private key of an alias: opaque, immutable, cheap to copy, valid for the life of the process.
#pragma once

#include <memory>
#include <string>

#include "native/pkcs11/key_operations.h"

namespace keystay::keys {

class PrivateKey final {
 public:
  PrivateKey(std::shared_ptr<pkcs11::KeyOperations> operations, pkcs11::KeyReference reference);

  [[nodiscard]] const pkcs11::KeyReference& reference() const noexcept { return *reference_; }
  [[nodiscard]] pkcs11::KeyOperations& operations() const noexcept { return *operations_; }

  // For messages: `alias "httpd" on token "web"`.
  [[nodiscard]] std::string name() const { return reference_->name() + " on " + operations_->name(); }

  // Known from the token, from its certificate, or from a PEM reference file: touches no token.
  [[nodiscard]] const pkcs11::PublicKey& public_key() const { return *reference_->public_key(); }
  [[nodiscard]] CK_KEY_TYPE type() const noexcept { return reference_->type(); }
  [[nodiscard]] std::size_t signature_size() const { return signature_size_; }

  // As KeyOperations::sign, with the token's own time-out.
  std::size_t sign(const pkcs11::SignMechanism& mechanism, pkcs11::ByteView data,
                   std::span<std::uint8_t> signature) const;
  // As KeyOperations::decrypt and derive.
  std::size_t decrypt(const pkcs11::DecryptMechanism& mechanism, pkcs11::ByteView ciphertext,
                      std::span<std::uint8_t> plaintext) const;
  void derive(pkcs11::ByteView peer_point, std::span<std::uint8_t> secret) const;

 private:
  std::shared_ptr<pkcs11::KeyOperations> operations_;
  std::shared_ptr<const pkcs11::KeyReference> reference_;  // has a public key
  std::size_t signature_size_;
};

}  // namespace keystay::keys
