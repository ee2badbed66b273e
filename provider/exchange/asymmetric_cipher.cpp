#include <memory>

#include <openssl/core_names.h>
#include <openssl/params.h>

#include "provider/dispatch.h"
#include "provider/exchange/rsa_cipher.h"
#include "provider/operation_context.h"
#include "provider/operations.h"

namespace keystay::provider {
namespace {

using Operation = RsaCipher::Operation;

using Callbacks = OperationContext<RsaCipher>;

void* new_context(void* provctx) noexcept {
  return Callbacks::create(provctx, [](Context& context) { return std::make_unique<RsaCipher>(context); });
}

template <Operation operation>
int begin(void* ctx, void* key, const OSSL_PARAM params[]) noexcept {
  return Callbacks::with(ctx, [&](RsaCipher& cipher) {
    cipher.begin(static_cast<Key*>(key), operation);
    return cipher.set_params(params);
  });
}

int process(void* ctx, unsigned char* out, std::size_t* length, std::size_t capacity, const unsigned char* in,
            std::size_t size) noexcept {
  return Callbacks::produce(
      ctx, {out, length, capacity}, [](RsaCipher& cipher) { return cipher.output_size(); },
      [&](RsaCipher& cipher, std::span<std::uint8_t> place) {
        return cipher.process({in, size}, place);
      });
}

const OSSL_PARAM* gettable_params(void* /*ctx*/, void* /*provctx*/) noexcept {
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

const OSSL_PARAM* settable_params(void* /*ctx*/, void* /*provctx*/) noexcept {
  static const OSSL_PARAM params[] = {
      OSSL_PARAM_utf8_string(OSSL_ASYM_CIPHER_PARAM_OAEP_DIGEST, nullptr, 0),
      OSSL_PARAM_utf8_string(OSSL_ASYM_CIPHER_PARAM_PAD_MODE, nullptr, 0),
      OSSL_PARAM_utf8_string(OSSL_ASYM_CIPHER_PARAM_MGF1_DIGEST, nullptr, 0),
      OSSL_PARAM_utf8_string(OSSL_ASYM_CIPHER_PARAM_OAEP_DIGEST_PROPS, nullptr, 0),
      OSSL_PARAM_utf8_string(OSSL_ASYM_CIPHER_PARAM_MGF1_DIGEST_PROPS, nullptr, 0),
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
      entry<OSSL_FUNC_asym_cipher_freectx_fn>(OSSL_FUNC_ASYM_CIPHER_FREECTX, Callbacks::free),
      entry<OSSL_FUNC_asym_cipher_dupctx_fn>(OSSL_FUNC_ASYM_CIPHER_DUPCTX, Callbacks::duplicate),
      entry<OSSL_FUNC_asym_cipher_encrypt_init_fn>(OSSL_FUNC_ASYM_CIPHER_ENCRYPT_INIT,
                                                   begin<Operation::encrypt>),
      entry<OSSL_FUNC_asym_cipher_encrypt_fn>(OSSL_FUNC_ASYM_CIPHER_ENCRYPT, process),
      entry<OSSL_FUNC_asym_cipher_decrypt_init_fn>(OSSL_FUNC_ASYM_CIPHER_DECRYPT_INIT,
                                                   begin<Operation::decrypt>),
      entry<OSSL_FUNC_asym_cipher_decrypt_fn>(OSSL_FUNC_ASYM_CIPHER_DECRYPT, process),
      entry<OSSL_FUNC_asym_cipher_get_ctx_params_fn>(OSSL_FUNC_ASYM_CIPHER_GET_CTX_PARAMS,
                                                     Callbacks::get_params),
      entry<OSSL_FUNC_asym_cipher_gettable_ctx_params_fn>(OSSL_FUNC_ASYM_CIPHER_GETTABLE_CTX_PARAMS,
                                                          gettable_params),
      entry<OSSL_FUNC_asym_cipher_set_ctx_params_fn>(OSSL_FUNC_ASYM_CIPHER_SET_CTX_PARAMS,
                                                     Callbacks::set_params),
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
