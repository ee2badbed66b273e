// A private or secret key as a recipe: what finds it again after a lost session, a fork or a rebooted HSM.
#pragma once

#include <optional>
#include <string>

#include "native/pkcs11/public_key.h"

namespace keystay::pkcs11 {

// Whether a private key under the CKA_ID or label that is meant has to prove that it is the one
// (key_proof.h).
enum class Proof {
  spared,  // unless the token shows that it is another one, it is: on a lone token nothing else can be
  wanted,  // somebody had to bring the same key to several tokens, and may have brought another one
};

// Names a private or secret key on one token by what it is, never by a handle. Immutable; copies name the
// same key.
class KeyReference final {
 public:
  // Without a public key, the one found under the same CKA_ID is trusted when the key is searched.
  KeyReference(Bytes id, std::string label, CK_KEY_TYPE type, std::optional<PublicKey> public_key);

  [[nodiscard]] const Bytes& id() const noexcept { return id_; }              // CKA_ID
  [[nodiscard]] const std::string& label() const noexcept { return label_; }  // CKA_LABEL
  [[nodiscard]] CK_KEY_TYPE type() const noexcept { return type_; }
  // CKO_PRIVATE_KEY or CKO_SECRET_KEY, as the type is.
  [[nodiscard]] CK_OBJECT_CLASS object_class() const noexcept;
  [[nodiscard]] const std::optional<PublicKey>& public_key() const noexcept { return public_key_; }
  [[nodiscard]] Proof proof() const noexcept { return proof_; }

  // The same key, Proof::wanted.
  [[nodiscard]] KeyReference with_proof() const;

  // For messages: `alias "httpd"`, or `key id:01ab` for one without a label.
  [[nodiscard]] std::string name() const;

  // Equal for references that were made from equal values: the key of handle caches.
  [[nodiscard]] const std::string& identity() const noexcept { return identity_; }
  [[nodiscard]] std::size_t identity_hash() const noexcept { return identity_hash_; }

 private:
  Bytes id_;
  std::string label_;
  CK_KEY_TYPE type_;
  std::optional<PublicKey> public_key_;
  Proof proof_ = Proof::spared;
  std::string identity_;
  std::size_t identity_hash_;
};

}  // namespace keystay::pkcs11
