// The one narrow interface through which a private key is used: by a token, or by a group that looks like
// one.
#pragma once

#include <cstddef>
#include <span>

#include "native/pkcs11/key_reference.h"
#include "native/pkcs11/mechanism.h"

namespace keystay::pkcs11 {

// What whoever has no other work meanwhile does with a call that does not return: nobody can take a thread
// out of it.
enum class HungCalls {
  waited_for,  // it makes the call itself
  left,        // another thread makes the call, and is left in it at the deadline
};

class KeyOperations {
 public:
  KeyOperations() = default;
  KeyOperations(const KeyOperations&) = delete;
  KeyOperations& operator=(const KeyOperations&) = delete;
  virtual ~KeyOperations() = default;

  // C_SignInit and C_Sign. Writes the raw signature into `signature`, which holds signature_size() bytes, and
  // returns its length. Waits for a free session until the deadline. Thread-safe. Throws Error.
  virtual std::size_t sign(const KeyReference& key, const SignMechanism& mechanism, ByteView data,
                           std::span<std::uint8_t> signature, Deadline deadline) = 0;

  // C_DecryptInit and C_Decrypt by an RSA key. Writes the plaintext, which is shorter than the modulus, into
  // `plaintext` and returns its length. Otherwise as sign().
  virtual std::size_t decrypt(const KeyReference& key, const DecryptMechanism& mechanism, ByteView ciphertext,
                              std::span<std::uint8_t> plaintext, Deadline deadline) = 0;

  // ECDH (SEC 1, section 3.3.1) of the key and the peer's public point, uncompressed or as RFC 7748 encodes
  // it. Fills `secret`, which must have the size of the curve's field. Otherwise as sign().
  virtual void derive(const KeyReference& key, ByteView peer_point, std::span<std::uint8_t> secret,
                      Deadline deadline) = 0;

  // Whether the token's mechanism list has it with CKF_SIGN; read once per process. Throws Error.
  [[nodiscard]] virtual bool supports(const SignMechanism& mechanism) = 0;
  // The same with CKF_DECRYPT.
  [[nodiscard]] virtual bool supports_decryption(const DecryptMechanism& mechanism) = 0;

  // The deadline of an operation that begins now, by the configured time-out.
  [[nodiscard]] virtual Deadline deadline() const = 0;
  // As configured. The functions above make their calls themselves in any case.
  [[nodiscard]] virtual HungCalls hung_calls() const { return HungCalls::waited_for; }

  // For messages: `token "web"`.
  [[nodiscard]] virtual std::string name() const = 0;
};

}  // namespace keystay::pkcs11
