#include <memory>

#include <openssl/core_names.h>
#include <openssl/params.h>

#include "provider/dispatch.h"
#include "provider/exchange/key_exchange.h"
#include "provider/operation_context.h"
#include "provider/operations.h"

namespace keystay::provider {
namespace {

using Callbacks = OperationContext<KeyExchange>;

void* new_context(void* provctx) noexcept {
  return Callbacks::create(provctx, [](Context& context) { return std::make_unique<KeyExchange>(context); });
}

int begin(void* ctx, void* key, const OSSL_PARAM params[]) noexcept {
  return Callbacks::with(ctx, [&](KeyExchange& exchange) {
    exchange.begin(static_cast<Key*>(key));
    return exchange.set_params(params);
  });
}

int set_peer(void* ctx, void* peer) noexcept {
  return Callbacks::with(
      ctx, [&](KeyExchange& exchange) { return exchange.set_peer(*static_cast<const Key*>(peer)); });
}

int derive(void* ctx, unsigned char* out, std::size_t* length, std::size_t capacity) noexcept {
  return Callbacks::produce(
      ctx, {out, length, capacity}, [](KeyExchange& exchange) { return exchange.secret_size(); },
      [&](KeyExchange& exchange, std::span<std::uint8_t> place) { return exchange.derive(place); });
}

const OSSL_PARAM* gettable_params(void* /*ctx*/, void* /*provctx*/) noexcept {
  static const OSSL_PARAM params[] = {
      OSSL_PARAM_int(OSSL_EXCHANGE_PARAM_EC_ECDH_COFACTOR_MODE, nullptr),
      OSSL_PARAM_utf8_string(OSSL_EXCHANGE_PARAM_KDF_TYPE, nullptr, 0),
      OSSL_PARAM_utf8_string(OSSL_EXCHANGE_PARAM_KDF_DIGEST, nullptr, 0),
      OSSL_PARAM_size_t(OSSL_EXCHANGE_PARAM_KDF_OUTLEN, nullptr),
      OSSL_PARAM_DEFN(OSSL_EXCHANGE_PARAM_KDF_UKM, OSSL_PARAM_OCTET_PTR, nullptr, 0),
      OSSL_PARAM_END,
  };
  return params;
}

const OSSL_PARAM* settable_params(void* /*ctx*/, void* /*provctx*/) noexcept {
  static const OSSL_PARAM params[] = {
      OSSL_PARAM_int(OSSL_EXCHANGE_PARAM_EC_ECDH_COFACTOR_MODE, nullptr),
      OSSL_PARAM_utf8_string(OSSL_EXCHANGE_PARAM_KDF_TYPE, nullptr, 0),
      OSSL_PARAM_utf8_string(OSSL_EXCHANGE_PARAM_KDF_DIGEST, nullptr, 0),
      OSSL_PARAM_utf8_string(OSSL_EXCHANGE_PARAM_KDF_DIGEST_PROPS, nullptr, 0),
      OSSL_PARAM_size_t(OSSL_EXCHANGE_PARAM_KDF_OUTLEN, nullptr),
      OSSL_PARAM_octet_string(OSSL_EXCHANGE_PARAM_KDF_UKM, nullptr, 0),
      OSSL_PARAM_END,
  };
  return params;
}

const OSSL_DISPATCH* ecdh_functions() {
  static const OSSL_DISPATCH table[] = {
      entry<OSSL_FUNC_keyexch_newctx_fn>(OSSL_FUNC_KEYEXCH_NEWCTX, new_context),
      entry<OSSL_FUNC_keyexch_freectx_fn>(OSSL_FUNC_KEYEXCH_FREECTX, Callbacks::free),
      entry<OSSL_FUNC_keyexch_dupctx_fn>(OSSL_FUNC_KEYEXCH_DUPCTX, Callbacks::duplicate),
      entry<OSSL_FUNC_keyexch_init_fn>(OSSL_FUNC_KEYEXCH_INIT, begin),
      entry<OSSL_FUNC_keyexch_set_peer_fn>(OSSL_FUNC_KEYEXCH_SET_PEER, set_peer),
      entry<OSSL_FUNC_keyexch_derive_fn>(OSSL_FUNC_KEYEXCH_DERIVE, derive),
      entry<OSSL_FUNC_keyexch_get_ctx_params_fn>(OSSL_FUNC_KEYEXCH_GET_CTX_PARAMS, Callbacks::get_params),
      entry<OSSL_FUNC_keyexch_gettable_ctx_params_fn>(OSSL_FUNC_KEYEXCH_GETTABLE_CTX_PARAMS, gettable_params),
      entry<OSSL_FUNC_keyexch_set_ctx_params_fn>(OSSL_FUNC_KEYEXCH_SET_CTX_PARAMS, Callbacks::set_params),
      entry<OSSL_FUNC_keyexch_settable_ctx_params_fn>(OSSL_FUNC_KEYEXCH_SETTABLE_CTX_PARAMS, settable_params),
      kEndOfDispatch,
  };
  return table;
}

// Without parameters, as in the default provider.
const OSSL_DISPATCH* x25519_functions() {
  static const OSSL_DISPATCH table[] = {
      entry<OSSL_FUNC_keyexch_newctx_fn>(OSSL_FUNC_KEYEXCH_NEWCTX, new_context),
      entry<OSSL_FUNC_keyexch_freectx_fn>(OSSL_FUNC_KEYEXCH_FREECTX, Callbacks::free),
      entry<OSSL_FUNC_keyexch_dupctx_fn>(OSSL_FUNC_KEYEXCH_DUPCTX, Callbacks::duplicate),
      entry<OSSL_FUNC_keyexch_init_fn>(OSSL_FUNC_KEYEXCH_INIT, begin),
      entry<OSSL_FUNC_keyexch_set_peer_fn>(OSSL_FUNC_KEYEXCH_SET_PEER, set_peer),
      entry<OSSL_FUNC_keyexch_derive_fn>(OSSL_FUNC_KEYEXCH_DERIVE, derive),
      kEndOfDispatch,
  };
  return table;
}

}  // namespace

const OSSL_ALGORITHM* key_exchange_algorithms() noexcept {
  static const OSSL_ALGORITHM algorithms[] = {
      {kEc.key_exchange, kProperties, ecdh_functions(), "ECDH with keys on PKCS#11 tokens"},
      {kX25519.key_exchange, kProperties, x25519_functions(), "X25519 with keys on PKCS#11 tokens"},
      {nullptr, nullptr, nullptr, nullptr},
  };
  return algorithms;
}

}  // namespace keystay::provider
