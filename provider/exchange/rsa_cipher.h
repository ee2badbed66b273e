// RSA encryption and decryption (RFC 8017, section 7).
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>

#include "provider/exchange/rsa_unpadding.h"
#include "provider/key/key.h"

namespace keystay::provider {

// One EVP_PKEY_CTX. A context of the default provider for the same key keeps the parameters exactly as that
// provider would, and does what needs no token. A token only decrypts the bare block: the padding is taken
// off here, so that neither an error nor a token's timing tells whether it was right.
class RsaCipher final {
 public:
  enum class Operation { encrypt, decrypt };

  explicit RsaCipher(Context& context) noexcept : context_(context) {}
  RsaCipher(const RsaCipher& other);
  RsaCipher& operator=(const RsaCipher&) = delete;

  [[nodiscard]] Context& context() const noexcept { return context_; }

  // A null key means the one that the context already has. Reaches no token.
  void begin(Key* key, Operation operation);
  [[nodiscard]] bool set_params(const OSSL_PARAM params[]);
  [[nodiscard]] bool params(OSSL_PARAM params[]);

  // The longest output.
  [[nodiscard]] std::size_t output_size();
  // Returns the length of the output; nothing, with the reason on the error queue, if it failed.
  [[nodiscard]] std::optional<std::size_t> process(pkcs11::ByteView input, std::span<std::uint8_t> output);

 private:
  [[nodiscard]] EVP_PKEY_CTX* parameters();
  [[nodiscard]] int padding();
  [[nodiscard]] Oaep oaep();
  [[nodiscard]] TlsVersions tls_versions();
  [[nodiscard]] std::size_t modulus_size() const;

  [[nodiscard]] std::optional<std::size_t> process_in_software(pkcs11::ByteView input,
                                                               std::span<std::uint8_t> output);
  [[nodiscard]] std::optional<std::size_t> decrypt_on_token(pkcs11::ByteView ciphertext,
                                                            std::span<std::uint8_t> message);
  [[nodiscard]] std::optional<std::size_t> unpad(int padding, pkcs11::ByteView block,
                                                 pkcs11::ByteView ciphertext,
                                                 std::span<std::uint8_t> message);

  Context& context_;
  KeyPtr key_;
  Operation operation_ = Operation::decrypt;
  bool implicit_rejection_ = true;
  x509::EvpPkeyContext parameters_;
};

}  // namespace keystay::provider
