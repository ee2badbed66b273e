// OSSL_OP_SIGNATURE (provider-signature(7)): what the signature algorithms have in common.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

#include "provider/key/key.h"

namespace keystay::provider {

// One EVP_PKEY_CTX or EVP_MD_CTX that signs or verifies. Hashing, verification and the rules of the
// parameters are software: a context of the default provider for the same key, made when it is first needed,
// keeps the parameters exactly as that provider would. Only `sign` may reach a token.
class Signature {
 public:
  enum class Operation { sign, verify, verify_recover };
  enum class Input { digest, message };

  explicit Signature(Context& context) noexcept : context_(context) {}
  Signature& operator=(const Signature&) = delete;
  virtual ~Signature() = default;
  [[nodiscard]] virtual std::unique_ptr<Signature> duplicate() const = 0;

  [[nodiscard]] Context& context() const noexcept { return context_; }

  // Begins. A null key means the one that the context already has. Reaches no token and takes no lock.
  void begin(Key* key, Operation operation);
  void begin_message(Key* key, Operation operation, std::string_view digest_name);
  [[nodiscard]] bool set_params(const OSSL_PARAM params[]);
  [[nodiscard]] bool params(OSSL_PARAM params[]);
  // Which there are: the default provider's lists, which are constant. Null before an operation has begun.
  [[nodiscard]] const OSSL_PARAM* settable_params();
  [[nodiscard]] const OSSL_PARAM* gettable_params();

  void update(pkcs11::ByteView message);

  // The longest signature of this key.
  [[nodiscard]] std::size_t signature_size() const;
  // Returns the length of the signature; nothing, with the reason on the error queue, if the token failed in
  // a job.
  [[nodiscard]] std::optional<std::size_t> sign(pkcs11::ByteView digest, std::span<std::uint8_t> signature);
  [[nodiscard]] std::optional<std::size_t> sign_message(std::span<std::uint8_t> signature);
  // False if the signature is wrong, with the reason on the error queue.
  [[nodiscard]] bool verify(pkcs11::ByteView digest, pkcs11::ByteView signature);
  [[nodiscard]] bool verify_message(pkcs11::ByteView signature);
  [[nodiscard]] bool recover(pkcs11::ByteView signature, std::span<std::uint8_t> digest, std::size_t* size);

 protected:
  Signature(const Signature& other);

  // Parameters have changed, of an operation that signs with a key on a token: throws Error for what can
  // never be signed, so that who negotiates parameters is told while others can still be chosen.
  virtual void require_possible() {}
  // Signs with a key on a token.
  [[nodiscard]] virtual std::optional<std::size_t> sign_on_token(pkcs11::ByteView digest,
                                                                 std::span<std::uint8_t> signature) = 0;

  [[nodiscard]] const Key& key() const noexcept { return *key_; }
  [[nodiscard]] const Digest* digest() const noexcept { return digest_; }
  // The default provider's context; null as long as all parameters have their first values.
  [[nodiscard]] EVP_PKEY_CTX* touched_parameters() const noexcept { return parameters_.get(); }
  [[nodiscard]] EVP_PKEY_CTX* parameters();

 private:
  struct Hash {
    std::array<std::uint8_t, EVP_MAX_MD_SIZE> bytes;
    std::size_t size;
    [[nodiscard]] pkcs11::ByteView view() const noexcept { return {bytes.data(), size}; }
  };
  void start_hash();
  [[nodiscard]] Hash finish_hash();
  void give_digest_to_parameters();
  void check_parameters();

  Context& context_;
  KeyPtr key_;
  Operation operation_ = Operation::sign;
  Input input_ = Input::digest;
  const Digest* digest_ = nullptr;
  bool hashing_ = false;
  x509::EvpMdContext hash_;
  x509::EvpPkeyContext parameters_;
};

}  // namespace keystay::provider
