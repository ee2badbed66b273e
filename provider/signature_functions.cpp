#include "provider/signature_functions.h"

#include <algorithm>
#include <array>

#include "provider/dispatch.h"
#include "provider/guard.h"
#include "provider/named_signature.h"
#include "provider/signature_ecdsa.h"
#include "provider/signature_eddsa.h"
#include "provider/signature_rsa.h"

namespace keystay::provider {
namespace {

using Operation = Signature::Operation;

Signature& signature_of(void* ctx) noexcept { return *static_cast<Signature*>(ctx); }

template <typename Body>
int with(void* ctx, Body&& body, Place place = {}) noexcept {
  Signature& signature = signature_of(ctx);
  return guard(
      signature.context().core(), [&] { return body(signature) ? 1 : 0; }, place);
}

template <typename Algorithm>
void* new_context(void* provctx, const char* /*property_query*/) {
  auto& context = *static_cast<Context*>(provctx);
  return guard(context.core(), [&]() -> void* { return static_cast<Signature*>(new Algorithm(context)); });
}

void free_context(void* ctx) { delete static_cast<Signature*>(ctx); }

void* duplicate_context(void* ctx) {
  const Signature& signature = signature_of(ctx);
  return guard(signature.context().core(), [&]() -> void* { return signature.duplicate().release(); });
}

template <Operation operation>
int begin(void* ctx, void* key, const OSSL_PARAM params[]) {
  return with(ctx, [&](Signature& signature) {
    signature.begin(static_cast<Key*>(key), operation);
    return signature.set_params(params);
  });
}

template <Operation operation>
int begin_message(void* ctx, const char* digest, void* key, const OSSL_PARAM params[]) {
  return with(ctx, [&](Signature& signature) {
    signature.begin_message(static_cast<Key*>(key), operation, digest ? digest : "");
    return signature.set_params(params);
  });
}

// A null place asks for the longest length, and nothing else happens.
template <typename Make>
int produce(void* ctx, unsigned char* out, std::size_t* length, std::size_t capacity, Make&& make,
            Place place = {}) noexcept {
  return with(
      ctx,
      [&](Signature& signature) {
        const std::optional<std::size_t> size =
            out ? make(signature, std::span(out, capacity)) : signature.signature_size();
        if (size) *length = *size;
        return size.has_value();
      },
      place);
}

int sign(void* ctx, unsigned char* out, std::size_t* length, std::size_t capacity,
         const unsigned char* digest, std::size_t digest_size) {
  return produce(ctx, out, length, capacity, [&](Signature& signature, std::span<std::uint8_t> place) {
    return signature.sign({digest, digest_size}, place);
  });
}

int update(void* ctx, const unsigned char* message, std::size_t size) {
  return with(ctx, [&](Signature& signature) {
    signature.update({message, size});
    return true;
  });
}

int sign_message_final(void* ctx, unsigned char* out, std::size_t* length, std::size_t capacity) {
  return produce(ctx, out, length, capacity, [](Signature& signature, std::span<std::uint8_t> place) {
    return signature.sign_message(place);
  });
}

int sign_message(void* ctx, unsigned char* out, std::size_t* length, std::size_t capacity,
                 const unsigned char* message, std::size_t size) {
  return produce(ctx, out, length, capacity, [&](Signature& signature, std::span<std::uint8_t> place) {
    signature.update({message, size});
    return signature.sign_message(place);
  });
}

int verify(void* ctx, const unsigned char* bytes, std::size_t length, const unsigned char* digest,
           std::size_t digest_size) {
  return with(ctx, [&](Signature& signature) {
    return signature.verify({digest, digest_size}, {bytes, length});
  });
}

int verify_message_final(void* ctx, const unsigned char* bytes, std::size_t length) {
  return with(ctx, [&](Signature& signature) { return signature.verify_message({bytes, length}); });
}

int verify_message(void* ctx, const unsigned char* bytes, std::size_t length, const unsigned char* message,
                   std::size_t size) {
  return with(ctx, [&](Signature& signature) {
    signature.update({message, size});
    return signature.verify_message({bytes, length});
  });
}

int recover(void* ctx, unsigned char* out, std::size_t* length, std::size_t capacity,
            const unsigned char* bytes, std::size_t size) {
  return with(ctx, [&](Signature& signature) {
    return signature.recover({bytes, size}, std::span(out, capacity), length);
  });
}

int get_params(void* ctx, OSSL_PARAM params[]) {
  return with(ctx, [&](Signature& signature) { return signature.params(params); });
}

int set_params(void* ctx, const OSSL_PARAM params[]) {
  return with(ctx, [&](Signature& signature) { return signature.set_params(params); });
}

template <typename Algorithm>
const OSSL_PARAM* gettable_params(void* /*ctx*/, void* /*provctx*/) {
  return Algorithm::gettable_params();
}

template <typename Algorithm>
const OSSL_PARAM* settable_params(void* /*ctx*/, void* /*provctx*/) {
  return Algorithm::settable_params();
}

template <typename Algorithm>
const OSSL_DISPATCH* functions() {
  static const OSSL_DISPATCH table[] = {
      entry<OSSL_FUNC_signature_newctx_fn>(OSSL_FUNC_SIGNATURE_NEWCTX, new_context<Algorithm>),
      entry<OSSL_FUNC_signature_freectx_fn>(OSSL_FUNC_SIGNATURE_FREECTX, free_context),
      entry<OSSL_FUNC_signature_dupctx_fn>(OSSL_FUNC_SIGNATURE_DUPCTX, duplicate_context),
      entry<OSSL_FUNC_signature_sign_init_fn>(OSSL_FUNC_SIGNATURE_SIGN_INIT, begin<Operation::sign>),
      entry<OSSL_FUNC_signature_sign_fn>(OSSL_FUNC_SIGNATURE_SIGN, sign),
      entry<OSSL_FUNC_signature_verify_init_fn>(OSSL_FUNC_SIGNATURE_VERIFY_INIT, begin<Operation::verify>),
      entry<OSSL_FUNC_signature_verify_fn>(OSSL_FUNC_SIGNATURE_VERIFY, verify),
      entry<OSSL_FUNC_signature_verify_recover_init_fn>(OSSL_FUNC_SIGNATURE_VERIFY_RECOVER_INIT,
                                                        begin<Operation::verify_recover>),
      entry<OSSL_FUNC_signature_verify_recover_fn>(OSSL_FUNC_SIGNATURE_VERIFY_RECOVER, recover),
      entry<OSSL_FUNC_signature_digest_sign_init_fn>(OSSL_FUNC_SIGNATURE_DIGEST_SIGN_INIT,
                                                     begin_message<Operation::sign>),
      entry<OSSL_FUNC_signature_digest_sign_update_fn>(OSSL_FUNC_SIGNATURE_DIGEST_SIGN_UPDATE, update),
      entry<OSSL_FUNC_signature_digest_sign_final_fn>(OSSL_FUNC_SIGNATURE_DIGEST_SIGN_FINAL,
                                                      sign_message_final),
      entry<OSSL_FUNC_signature_digest_sign_fn>(OSSL_FUNC_SIGNATURE_DIGEST_SIGN, sign_message),
      entry<OSSL_FUNC_signature_digest_verify_init_fn>(OSSL_FUNC_SIGNATURE_DIGEST_VERIFY_INIT,
                                                       begin_message<Operation::verify>),
      entry<OSSL_FUNC_signature_digest_verify_update_fn>(OSSL_FUNC_SIGNATURE_DIGEST_VERIFY_UPDATE, update),
      entry<OSSL_FUNC_signature_digest_verify_final_fn>(OSSL_FUNC_SIGNATURE_DIGEST_VERIFY_FINAL,
                                                        verify_message_final),
      entry<OSSL_FUNC_signature_digest_verify_fn>(OSSL_FUNC_SIGNATURE_DIGEST_VERIFY, verify_message),
      entry<OSSL_FUNC_signature_get_ctx_params_fn>(OSSL_FUNC_SIGNATURE_GET_CTX_PARAMS, get_params),
      entry<OSSL_FUNC_signature_gettable_ctx_params_fn>(OSSL_FUNC_SIGNATURE_GETTABLE_CTX_PARAMS,
                                                        gettable_params<Algorithm>),
      entry<OSSL_FUNC_signature_set_ctx_params_fn>(OSSL_FUNC_SIGNATURE_SET_CTX_PARAMS, set_params),
      entry<OSSL_FUNC_signature_settable_ctx_params_fn>(OSSL_FUNC_SIGNATURE_SETTABLE_CTX_PARAMS,
                                                        settable_params<Algorithm>),
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
