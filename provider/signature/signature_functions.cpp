#include <algorithm>
#include <array>
#include <memory>

#include "provider/dispatch.h"
#include "provider/operations.h"
#include "provider/signature/named_signature.h"
#include "provider/signature/signature_callbacks.h"
#include "provider/signature/signature_ecdsa.h"
#include "provider/signature/signature_eddsa.h"
#include "provider/signature/signature_rsa.h"

namespace keystay::provider {
namespace {

using Operation = Signature::Operation;
using Callbacks = SignatureCallbacks<Signature>;

template <typename Algorithm>
void* new_context(void* provctx, const char* /*property_query*/) noexcept {
  return Callbacks::create(provctx, [](Context& context) { return std::make_unique<Algorithm>(context); });
}

template <Operation operation>
int begin(void* ctx, void* key, const OSSL_PARAM params[]) noexcept {
  return Callbacks::with(ctx, [&](Signature& signature) {
    signature.begin(static_cast<Key*>(key), operation);
    return signature.set_params(params);
  });
}

template <Operation operation>
int begin_message(void* ctx, const char* digest, void* key, const OSSL_PARAM params[]) noexcept {
  return Callbacks::with(ctx, [&](Signature& signature) {
    signature.begin_message(static_cast<Key*>(key), operation, digest ? digest : "");
    return signature.set_params(params);
  });
}

int sign_message(void* ctx, unsigned char* out, std::size_t* length, std::size_t capacity,
                 const unsigned char* message, std::size_t size) noexcept {
  return Callbacks::produce(ctx, {out, length, capacity},
                            [&](Signature& signature, std::span<std::uint8_t> place) {
                              signature.update({message, size});
                              return signature.sign_message(place);
                            });
}

int verify_message_final(void* ctx, const unsigned char* bytes, std::size_t length) noexcept {
  return Callbacks::with(ctx, [&](Signature& signature) {
    return signature.verify_message({bytes, length});
  });
}

int verify_message(void* ctx, const unsigned char* bytes, std::size_t length, const unsigned char* message,
                   std::size_t size) noexcept {
  return Callbacks::with(ctx, [&](Signature& signature) {
    signature.update({message, size});
    return signature.verify_message({bytes, length});
  });
}

using ListOfContext = const OSSL_PARAM* (Signature::*)();
using ListOfAlgorithm = const OSSL_PARAM* (*)(const EVP_SIGNATURE*);

// Without a context it is asked what there is at all.
template <typename Algorithm, ListOfContext of_context, ListOfAlgorithm of_algorithm>
const OSSL_PARAM* list(void* ctx, void* provctx) noexcept {
  auto& context = *static_cast<Context*>(provctx);
  return guard(context.core(), [&] {
    if (ctx) return (Callbacks::of(ctx).*of_context)();
    const x509::Owned<EVP_SIGNATURE, EVP_SIGNATURE_free> algorithm(
        EVP_SIGNATURE_fetch(context.software().libctx(), Algorithm::kSoftwareName, nullptr));
    if (!algorithm) throw SoftwareFailure("EVP_SIGNATURE_fetch");
    return of_algorithm(algorithm.get());
  });
}

template <typename Algorithm>
const OSSL_DISPATCH* functions() {
  static const OSSL_DISPATCH table[] = {
      entry<OSSL_FUNC_signature_newctx_fn>(OSSL_FUNC_SIGNATURE_NEWCTX, new_context<Algorithm>),
      entry<OSSL_FUNC_signature_freectx_fn>(OSSL_FUNC_SIGNATURE_FREECTX, Callbacks::free),
      entry<OSSL_FUNC_signature_dupctx_fn>(OSSL_FUNC_SIGNATURE_DUPCTX, Callbacks::duplicate),
      entry<OSSL_FUNC_signature_sign_init_fn>(OSSL_FUNC_SIGNATURE_SIGN_INIT, begin<Operation::sign>),
      entry<OSSL_FUNC_signature_sign_fn>(OSSL_FUNC_SIGNATURE_SIGN, Callbacks::sign),
      entry<OSSL_FUNC_signature_verify_init_fn>(OSSL_FUNC_SIGNATURE_VERIFY_INIT, begin<Operation::verify>),
      entry<OSSL_FUNC_signature_verify_fn>(OSSL_FUNC_SIGNATURE_VERIFY, Callbacks::verify),
      entry<OSSL_FUNC_signature_digest_sign_init_fn>(OSSL_FUNC_SIGNATURE_DIGEST_SIGN_INIT,
                                                     begin_message<Operation::sign>),
      entry<OSSL_FUNC_signature_digest_sign_update_fn>(OSSL_FUNC_SIGNATURE_DIGEST_SIGN_UPDATE,
                                                       Callbacks::update),
      entry<OSSL_FUNC_signature_digest_sign_final_fn>(OSSL_FUNC_SIGNATURE_DIGEST_SIGN_FINAL,
                                                      Callbacks::sign_message_final),
      entry<OSSL_FUNC_signature_digest_sign_fn>(OSSL_FUNC_SIGNATURE_DIGEST_SIGN, sign_message),
      entry<OSSL_FUNC_signature_digest_verify_init_fn>(OSSL_FUNC_SIGNATURE_DIGEST_VERIFY_INIT,
                                                       begin_message<Operation::verify>),
      entry<OSSL_FUNC_signature_digest_verify_update_fn>(OSSL_FUNC_SIGNATURE_DIGEST_VERIFY_UPDATE,
                                                         Callbacks::update),
      entry<OSSL_FUNC_signature_digest_verify_final_fn>(OSSL_FUNC_SIGNATURE_DIGEST_VERIFY_FINAL,
                                                        verify_message_final),
      entry<OSSL_FUNC_signature_digest_verify_fn>(OSSL_FUNC_SIGNATURE_DIGEST_VERIFY, verify_message),
      entry<OSSL_FUNC_signature_get_ctx_params_fn>(OSSL_FUNC_SIGNATURE_GET_CTX_PARAMS, Callbacks::get_params),
      entry<OSSL_FUNC_signature_gettable_ctx_params_fn>(
          OSSL_FUNC_SIGNATURE_GETTABLE_CTX_PARAMS,
          list<Algorithm, &Signature::gettable_params, EVP_SIGNATURE_gettable_ctx_params>),
      entry<OSSL_FUNC_signature_set_ctx_params_fn>(OSSL_FUNC_SIGNATURE_SET_CTX_PARAMS, Callbacks::set_params),
      entry<OSSL_FUNC_signature_settable_ctx_params_fn>(
          OSSL_FUNC_SIGNATURE_SETTABLE_CTX_PARAMS,
          list<Algorithm, &Signature::settable_params, EVP_SIGNATURE_settable_ctx_params>),
      // The last ones, so that the table ends here where there are none.
      Algorithm::kRecovers ? entry<OSSL_FUNC_signature_verify_recover_init_fn>(
                                 OSSL_FUNC_SIGNATURE_VERIFY_RECOVER_INIT, begin<Operation::verify_recover>)
                           : kEndOfDispatch,
      entry<OSSL_FUNC_signature_verify_recover_fn>(OSSL_FUNC_SIGNATURE_VERIFY_RECOVER, Callbacks::recover),
      kEndOfDispatch,
  };
  return table;
}

}  // namespace

const OSSL_ALGORITHM* signature_algorithms() noexcept {
  const OSSL_ALGORITHM own[] = {
      {kRsa.signature, kProperties, functions<RsaSignature>(), "RSA signatures with keys on PKCS#11 tokens"},
      {kEc.signature, kProperties, functions<EcdsaSignature>(),
       "ECDSA signatures with keys on PKCS#11 tokens"},
      {kEd25519.signature, kProperties, eddsa_functions<kEd25519>(),
       "Ed25519 signatures with keys on PKCS#11 tokens"},
      {kEd448.signature, kProperties, eddsa_functions<kEd448>(),
       "Ed448 signatures with keys on PKCS#11 tokens"},
  };
  // Ends with a null entry.
  static const auto algorithms = [&] {
    std::array<OSSL_ALGORITHM, 32> all{};
    std::ranges::copy(named_signatures(), std::ranges::copy(own, all.begin()).out);
    return all;
  }();
  return algorithms.data();
}

}  // namespace keystay::provider
