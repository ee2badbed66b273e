// ECDH (SEC 1, section 3.3.1), with the key derivation of X9.63 after it if that is asked for, and X25519
// (RFC 7748, section 6).
#pragma once

#include <cstddef>
#include <optional>
#include <span>

#include "provider/key/key.h"

namespace keystay::provider {

// One EVP_PKEY_CTX. A context of the default provider for the same key keeps the parameters and the peer's
// key exactly as that provider would, and does what needs no token. A token only computes the shared secret.
class KeyExchange final {
 public:
  explicit KeyExchange(Context& context) noexcept : context_(context) {}
  KeyExchange(const KeyExchange& other);
  KeyExchange& operator=(const KeyExchange&) = delete;

  [[nodiscard]] Context& context() const noexcept { return context_; }

  // A null key means the one that the context already has. Reaches no token.
  void begin(Key* key);
  [[nodiscard]] bool set_peer(const Key& peer);
  [[nodiscard]] bool set_params(const OSSL_PARAM params[]);
  [[nodiscard]] bool params(OSSL_PARAM params[]);

  // The length of the derived bytes.
  [[nodiscard]] std::optional<std::size_t> secret_size();
  // Returns their length; nothing, with the reason on the error queue, if it failed.
  [[nodiscard]] std::optional<std::size_t> derive(std::span<std::uint8_t> secret);

 private:
  [[nodiscard]] EVP_PKEY_CTX* parameters();
  [[nodiscard]] std::optional<std::size_t> derive_on_token(std::span<std::uint8_t> secret);

  Context& context_;
  KeyPtr key_;
  x509::EvpPkeyContext parameters_;
  pkcs11::Bytes peer_point_;  // for a token: uncompressed; of X25519 the u-coordinate
};

}  // namespace keystay::provider
