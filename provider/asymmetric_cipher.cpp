#include "provider/asymmetric_cipher.h"

#include <openssl/core_names.h>
#include <openssl/params.h>

#include "provider/dispatch.h"
#include "provider/guard.h"
#include "provider/rsa_cipher.h"

namespace keystay::provider {
namespace {

using Operation = RsaCipher::Operation;

RsaCipher& cipher_of(void* ctx) noexcept { return *static_cast<RsaCipher*>(ctx); }

template <typename Body>
int with(void* ctx, Body&& body, Place place = {}) noexcept {
  RsaCipher& cipher = cipher_of(ctx);
  return guard(
      cipher.context().core(), [&] { return body(cipher) ? 1 : 0; }, place);
}

void* new_context(void* provctx) {
  auto& context = *static_cast<Context*>(provctx);
  return guard(context.core(), [&]() -> void* { return new RsaCipher(context); });
}

void free_context(void* ctx) { delete &cipher_of(ctx); }

void* duplicate_context(void* ctx) {
  const RsaCipher& cipher = cipher_of(ctx);
  return guard(cipher.context().core(), [&]() -> void* { return new RsaCipher(cipher); });
}

template <Operation operation>
int begin(void* ctx, void* key, const OSSL_PARAM params[]) {
  return with(ctx, [&](RsaCipher& cipher) {
    cipher.begin(static_cast<Key*>(key), operation);
    return cipher.set_params(params);
  });
}

// A null place asks for the longest length, and nothing else happens.
int process(void* ctx, unsigned char* out, std::size_t* length, std::size_t capacity, const unsigned char* in,
            std::size_t size) {
  return with(ctx, [&](RsaCipher& cipher) {
    const std::optional<std::size_t> made =
        out ? cipher.process({in, size}, std::span(out, capacity)) : cipher.output_size();
    if (made) *length = *made;
    return made.has_value();
  });
}

int get_params(void* ctx, OSSL_PARAM params[]) {
  return with(ctx, [&](RsaCipher& cipher) { return cipher.params(params); });
}

int set_params(void* ctx, const OSSL_PARAM params[]) {
  return with(ctx, [&](RsaCipher& cipher) { return cipher.set_params(params); });
}

const OSSL_PARAM* gettable_params(void* /*ctx*/, void* /*provctx*/) {
  static const OSSL_PARAM params[] = {
      OSSL_PARAM_utf8_string(OSSL_ASYM_CIPHER_PARAM_OAEP_DIGEST, nullptr, 0),
      OSSL_PARAM_utf8_string(OSSL_ASYM_CIPHER_PARAM_PAD_MODE, nullptr, 0),
      OSSL_PARAM_utf8_string(OSSL_ASYM_CIPHER_PARAM_MGF1_DIGEST, nullptr, 0),
      OSSL_PARAM_DEFN(OSSL_ASYM_CIPHER_PARAM_OAEP_LABEL, OSSL_PARAM_OCTET_PTR, nullptr, 0),
      OSSL_PARAM_uint(OSSL_ASYM_CIPHER_PARAM_TLS_CLIENT_VERSION, nullptr),
      OSSL_PARAM_uint(OSSL_ASYM_CIPHER_PARAM_TLS_NEGOTIATED_VERSION, nullptr),
      OSSL_PARAM_uint("implicit-rejection", nullptr),
      OSSL_PARAM_END,
  };
  return params;
}

const OSSL_PARAM* settable_params(void* /*ctx*/, void* /*provctx*/) {
  static const OSSL_PARAM params[] = {
      OSSL_PARAM_utf8_string(OSSL_ASYM_CIPHER_PARAM_OAEP_DIGEST, nullptr, 0),
      OSSL_PARAM_utf8_string(OSSL_ASYM_CIPHER_PARAM_PAD_MODE, nullptr, 0),
      OSSL_PARAM_utf8_string(OSSL_ASYM_CIPHER_PARAM_MGF1_DIGEST, nullptr, 0),
      OSSL_PARAM_octet_string(OSSL_ASYM_CIPHER_PARAM_OAEP_LABEL, nullptr, 0),
      OSSL_PARAM_uint(OSSL_ASYM_CIPHER_PARAM_TLS_CLIENT_VERSION, nullptr),
      OSSL_PARAM_uint(OSSL_ASYM_CIPHER_PARAM_TLS_NEGOTIATED_VERSION, nullptr),
      OSSL_PARAM_uint("implicit-rejection", nullptr),
      OSSL_PARAM_END,
  };
  return params;
}

const OSSL_DISPATCH* functions() {
  static const OSSL_DISPATCH table[] = {
      entry<OSSL_FUNC_asym_cipher_newctx_fn>(OSSL_FUNC_ASYM_CIPHER_NEWCTX, new_context),
      entry<OSSL_FUNC_asym_cipher_freectx_fn>(OSSL_FUNC_ASYM_CIPHER_FREECTX, free_context),
      entry<OSSL_FUNC_asym_cipher_dupctx_fn>(OSSL_FUNC_ASYM_CIPHER_DUPCTX, duplicate_context),
      entry<OSSL_FUNC_asym_cipher_encrypt_init_fn>(OSSL_FUNC_ASYM_CIPHER_ENCRYPT_INIT,
                                                   begin<Operation::encrypt>),
      entry<OSSL_FUNC_asym_cipher_encrypt_fn>(OSSL_FUNC_ASYM_CIPHER_ENCRYPT, process),
      entry<OSSL_FUNC_asym_cipher_decrypt_init_fn>(OSSL_FUNC_ASYM_CIPHER_DECRYPT_INIT,
                                                   begin<Operation::decrypt>),
      entry<OSSL_FUNC_asym_cipher_decrypt_fn>(OSSL_FUNC_ASYM_CIPHER_DECRYPT, process),
      entry<OSSL_FUNC_asym_cipher_get_ctx_params_fn>(OSSL_FUNC_ASYM_CIPHER_GET_CTX_PARAMS, get_params),
      entry<OSSL_FUNC_asym_cipher_gettable_ctx_params_fn>(OSSL_FUNC_ASYM_CIPHER_GETTABLE_CTX_PARAMS,
                                                          gettable_params),
      entry<OSSL_FUNC_asym_cipher_set_ctx_params_fn>(OSSL_FUNC_ASYM_CIPHER_SET_CTX_PARAMS, set_params),
      entry<OSSL_FUNC_asym_cipher_settable_ctx_params_fn>(OSSL_FUNC_ASYM_CIPHER_SETTABLE_CTX_PARAMS,
                                                          settable_params),
      kEndOfDispatch,
  };
  return table;
}

}  // namespace

const OSSL_ALGORITHM* asymmetric_cipher_algorithms() noexcept {
  static const OSSL_ALGORITHM algorithms[] = {
      {kRsa.cipher, kProperties, functions(), "RSA decryption with keys on PKCS#11 tokens"},
      {nullptr, nullptr, nullptr, nullptr},
  };
  return algorithms;
}

}  // namespace keystay::provider
