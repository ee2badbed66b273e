#include "provider/signature/named_signature.h"

#include <openssl/core_dispatch.h>

#ifdef OSSL_FUNC_SIGNATURE_SIGN_MESSAGE_INIT

#include <array>
#include <memory>
#include <optional>
#include <utility>

#include <openssl/core_names.h>
#include <openssl/params.h>

#include "provider/dispatch.h"
#include "provider/signature/signature_callbacks.h"
#include "provider/signature/signature_ecdsa.h"
#include "provider/signature/signature_rsa.h"

namespace keystay::provider {
namespace {

using Operation = Signature::Operation;
using pkcs11::ByteView;

// RSA is PKCS #1 v1.5 here, as in the default provider. "ED25519" and "ED448" are not among them: these are
// also the names of the keys' own operations, so that ours would take over the keys of other providers
// wherever it stands first, without the variants of EdDSA that only those have.
struct Algorithm {
  const KeyType& type;
  const char* names;   // as the default provider has them
  const char* digest;  // the first name of it
};

constexpr std::array kAlgorithms{
    Algorithm{kRsa, "RSA-SHA1", "SHA1"},
    Algorithm{kRsa, "RSA-SHA2-224:RSA-SHA224", "SHA2-224"},
    Algorithm{kRsa, "RSA-SHA2-256:RSA-SHA256", "SHA2-256"},
    Algorithm{kRsa, "RSA-SHA2-384:RSA-SHA384", "SHA2-384"},
    Algorithm{kRsa, "RSA-SHA2-512:RSA-SHA512", "SHA2-512"},
    Algorithm{kRsa, "RSA-SHA3-224", "SHA3-224"},
    Algorithm{kRsa, "RSA-SHA3-256", "SHA3-256"},
    Algorithm{kRsa, "RSA-SHA3-384", "SHA3-384"},
    Algorithm{kRsa, "RSA-SHA3-512", "SHA3-512"},
    Algorithm{kEc, "ECDSA-SHA1", "SHA1"},
    Algorithm{kEc, "ECDSA-SHA2-224:ECDSA-SHA224", "SHA2-224"},
    Algorithm{kEc, "ECDSA-SHA2-256:ECDSA-SHA256", "SHA2-256"},
    Algorithm{kEc, "ECDSA-SHA2-384:ECDSA-SHA384", "SHA2-384"},
    Algorithm{kEc, "ECDSA-SHA2-512:ECDSA-SHA512", "SHA2-512"},
    Algorithm{kEc, "ECDSA-SHA3-224", "SHA3-224"},
    Algorithm{kEc, "ECDSA-SHA3-256", "SHA3-256"},
    Algorithm{kEc, "ECDSA-SHA3-384", "SHA3-384"},
    Algorithm{kEc, "ECDSA-SHA3-512", "SHA3-512"},
};

// One EVP_PKEY_CTX with such an algorithm.
class NamedSignature final {
 public:
  NamedSignature(std::unique_ptr<Signature> signature, const char* digest) noexcept
      : signature_(std::move(signature)), digest_(digest) {}

  [[nodiscard]] Context& context() const noexcept { return signature_->context(); }

  [[nodiscard]] std::unique_ptr<NamedSignature> duplicate() const {
    auto copy = std::make_unique<NamedSignature>(signature_->duplicate(), digest_);
    copy->on_message_ = on_message_;
    copy->expected_ = expected_;
    return copy;
  }

  [[nodiscard]] bool begin(Key* key, Operation operation) {
    on_message_ = false;
    signature_->begin(key, operation);
    const OSSL_PARAM digest[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_SIGNATURE_PARAM_DIGEST, const_cast<char*>(digest_), 0),
        OSSL_PARAM_construct_end()};
    return signature_->set_params(digest);
  }

  void begin_message(Key* key, Operation operation) {
    on_message_ = true;
    expected_.reset();
    signature_->begin_message(key, operation, digest_);
  }

  void update(ByteView message) { signature_->update(message); }

  // `data` is the digest, or the whole message, as the operation was begun.
  [[nodiscard]] std::optional<std::size_t> sign(ByteView data, std::span<std::uint8_t> place) {
    if (!on_message_) return signature_->sign(data, place);
    update(data);
    return sign_message(place);
  }
  [[nodiscard]] std::optional<std::size_t> sign_message(std::span<std::uint8_t> place) {
    return signature_->sign_message(place);
  }
  [[nodiscard]] std::size_t signature_size() const { return signature_->signature_size(); }

  [[nodiscard]] bool verify(ByteView data, ByteView signature) {
    if (!on_message_) return signature_->verify(data, signature);
    update(data);
    return signature_->verify_message(signature);
  }
  [[nodiscard]] bool verify_message() {
    if (!expected_) throw Error(Reason::internal, "no signature was given to compare with");
    return signature_->verify_message(*expected_);
  }

  [[nodiscard]] bool recover(ByteView signature, std::span<std::uint8_t> digest, std::size_t* size) {
    return signature_->recover(signature, digest, size);
  }

  [[nodiscard]] bool set_params(const OSSL_PARAM params[]) {
    const OSSL_PARAM* expected =
        params ? OSSL_PARAM_locate_const(params, OSSL_SIGNATURE_PARAM_SIGNATURE) : nullptr;
    if (!expected) return true;
    const void* bytes = nullptr;
    std::size_t size = 0;
    if (OSSL_PARAM_get_octet_string_ptr(expected, &bytes, &size) != 1) return false;
    const auto* first = static_cast<const std::uint8_t*>(bytes);
    expected_.emplace(first, first + size);
    return true;
  }
  [[nodiscard]] bool params(OSSL_PARAM params[]) { return signature_->params(params); }

 private:
  std::unique_ptr<Signature> signature_;
  const char* digest_;
  bool on_message_ = false;
  std::optional<pkcs11::Bytes> expected_;  // for a verification in steps
};

using Callbacks = SignatureCallbacks<NamedSignature>;

template <std::size_t index>
void* new_context(void* provctx, const char* /*property_query*/) noexcept {
  return Callbacks::create(provctx, [](Context& context) {
    std::unique_ptr<Signature> signature;
    if constexpr (&kAlgorithms[index].type == &kRsa) {
      signature = std::make_unique<RsaSignature>(context);
    } else {
      signature = std::make_unique<EcdsaSignature>(context);
    }
    return std::make_unique<NamedSignature>(std::move(signature), kAlgorithms[index].digest);
  });
}

template <Operation operation>
int begin(void* ctx, void* key, const OSSL_PARAM params[]) noexcept {
  return Callbacks::with(ctx, [&](NamedSignature& signature) {
    return signature.begin(static_cast<Key*>(key), operation) && signature.set_params(params);
  });
}

template <Operation operation>
int begin_message(void* ctx, void* key, const OSSL_PARAM params[]) noexcept {
  return Callbacks::with(ctx, [&](NamedSignature& signature) {
    signature.begin_message(static_cast<Key*>(key), operation);
    return signature.set_params(params);
  });
}

int verify_message_final(void* ctx) noexcept {
  return Callbacks::with(ctx, [](NamedSignature& signature) { return signature.verify_message(); });
}

const OSSL_PARAM* gettable_params(void* /*ctx*/, void* /*provctx*/) noexcept {
  static const OSSL_PARAM params[] = {OSSL_PARAM_octet_string(OSSL_SIGNATURE_PARAM_ALGORITHM_ID, nullptr, 0),
                                      OSSL_PARAM_END};
  return params;
}

const OSSL_PARAM* settable_params(void* /*ctx*/, void* /*provctx*/) noexcept {
  static const OSSL_PARAM params[] = {OSSL_PARAM_octet_string(OSSL_SIGNATURE_PARAM_SIGNATURE, nullptr, 0),
                                      OSSL_PARAM_END};
  return params;
}

template <const KeyType& type>
const char** query_key_types() noexcept {
  static const char* types[] = {type.algorithm, nullptr};
  return types;
}

template <std::size_t index>
const OSSL_DISPATCH* functions() {
  static const OSSL_DISPATCH table[] = {
      entry<OSSL_FUNC_signature_newctx_fn>(OSSL_FUNC_SIGNATURE_NEWCTX, new_context<index>),
      entry<OSSL_FUNC_signature_freectx_fn>(OSSL_FUNC_SIGNATURE_FREECTX, Callbacks::free),
      entry<OSSL_FUNC_signature_dupctx_fn>(OSSL_FUNC_SIGNATURE_DUPCTX, Callbacks::duplicate),
      entry<OSSL_FUNC_signature_query_key_types_fn>(OSSL_FUNC_SIGNATURE_QUERY_KEY_TYPES,
                                                    query_key_types<kAlgorithms[index].type>),
      entry<OSSL_FUNC_signature_sign_init_fn>(OSSL_FUNC_SIGNATURE_SIGN_INIT, begin<Operation::sign>),
      entry<OSSL_FUNC_signature_sign_fn>(OSSL_FUNC_SIGNATURE_SIGN, Callbacks::sign),
      entry<OSSL_FUNC_signature_sign_message_init_fn>(OSSL_FUNC_SIGNATURE_SIGN_MESSAGE_INIT,
                                                      begin_message<Operation::sign>),
      entry<OSSL_FUNC_signature_sign_message_update_fn>(OSSL_FUNC_SIGNATURE_SIGN_MESSAGE_UPDATE,
                                                        Callbacks::update),
      entry<OSSL_FUNC_signature_sign_message_final_fn>(OSSL_FUNC_SIGNATURE_SIGN_MESSAGE_FINAL,
                                                       Callbacks::sign_message_final),
      entry<OSSL_FUNC_signature_verify_init_fn>(OSSL_FUNC_SIGNATURE_VERIFY_INIT, begin<Operation::verify>),
      entry<OSSL_FUNC_signature_verify_fn>(OSSL_FUNC_SIGNATURE_VERIFY, Callbacks::verify),
      entry<OSSL_FUNC_signature_verify_message_init_fn>(OSSL_FUNC_SIGNATURE_VERIFY_MESSAGE_INIT,
                                                        begin_message<Operation::verify>),
      entry<OSSL_FUNC_signature_verify_message_update_fn>(OSSL_FUNC_SIGNATURE_VERIFY_MESSAGE_UPDATE,
                                                          Callbacks::update),
      entry<OSSL_FUNC_signature_verify_message_final_fn>(OSSL_FUNC_SIGNATURE_VERIFY_MESSAGE_FINAL,
                                                         verify_message_final),
      entry<OSSL_FUNC_signature_get_ctx_params_fn>(OSSL_FUNC_SIGNATURE_GET_CTX_PARAMS, Callbacks::get_params),
      entry<OSSL_FUNC_signature_gettable_ctx_params_fn>(OSSL_FUNC_SIGNATURE_GETTABLE_CTX_PARAMS,
                                                        gettable_params),
      entry<OSSL_FUNC_signature_set_ctx_params_fn>(OSSL_FUNC_SIGNATURE_SET_CTX_PARAMS, Callbacks::set_params),
      entry<OSSL_FUNC_signature_settable_ctx_params_fn>(OSSL_FUNC_SIGNATURE_SETTABLE_CTX_PARAMS,
                                                        settable_params),
      // The last ones, so that the table ends here where there are none.
      &kAlgorithms[index].type == &kRsa
          ? entry<OSSL_FUNC_signature_verify_recover_init_fn>(OSSL_FUNC_SIGNATURE_VERIFY_RECOVER_INIT,
                                                              begin<Operation::verify_recover>)
          : kEndOfDispatch,
      entry<OSSL_FUNC_signature_verify_recover_fn>(OSSL_FUNC_SIGNATURE_VERIFY_RECOVER, Callbacks::recover),
      kEndOfDispatch,
  };
  return table;
}

template <std::size_t... index>
std::array<OSSL_ALGORITHM, kAlgorithms.size()> list(std::index_sequence<index...> /*all*/) {
  return {OSSL_ALGORITHM{kAlgorithms[index].names, kProperties, functions<index>(),
                         "Signatures with keys on PKCS#11 tokens"}...};
}

}  // namespace

std::span<const OSSL_ALGORITHM> named_signatures() noexcept {
  static const auto algorithms = list(std::make_index_sequence<kAlgorithms.size()>());
  return algorithms;
}

}  // namespace keystay::provider

#else

namespace keystay::provider {

std::span<const OSSL_ALGORITHM> named_signatures() noexcept { return {}; }

}  // namespace keystay::provider

#endif
