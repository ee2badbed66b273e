#include "provider/key_exchange_functions.h"

#include <openssl/core_names.h>
#include <openssl/params.h>

#include "provider/dispatch.h"
#include "provider/guard.h"
#include "provider/key_exchange.h"

namespace keystay::provider {
namespace {

KeyExchange& exchange_of(void* ctx) noexcept { return *static_cast<KeyExchange*>(ctx); }

template <typename Body>
int with(void* ctx, Body&& body, Place place = {}) noexcept {
  KeyExchange& exchange = exchange_of(ctx);
  return guard(
      exchange.context().core(), [&] { return body(exchange) ? 1 : 0; }, place);
}

void* new_context(void* provctx) {
  auto& context = *static_cast<Context*>(provctx);
  return guard(context.core(), [&]() -> void* { return new KeyExchange(context); });
}

void free_context(void* ctx) { delete &exchange_of(ctx); }

void* duplicate_context(void* ctx) {
  const KeyExchange& exchange = exchange_of(ctx);
  return guard(exchange.context().core(), [&]() -> void* { return new KeyExchange(exchange); });
}

int begin(void* ctx, void* key, const OSSL_PARAM params[]) {
  return with(ctx, [&](KeyExchange& exchange) {
    exchange.begin(static_cast<Key*>(key));
    return exchange.set_params(params);
  });
}

int set_peer(void* ctx, void* peer) {
  return with(ctx, [&](KeyExchange& exchange) { return exchange.set_peer(*static_cast<const Key*>(peer)); });
}

// A null place asks for the length, and nothing else happens.
int derive(void* ctx, unsigned char* out, std::size_t* length, std::size_t capacity) {
  return with(ctx, [&](KeyExchange& exchange) {
    const std::optional<std::size_t> made =
        out ? exchange.derive(std::span(out, capacity)) : exchange.secret_size();
    if (made) *length = *made;
    return made.has_value();
  });
}

int get_params(void* ctx, OSSL_PARAM params[]) {
  return with(ctx, [&](KeyExchange& exchange) { return exchange.params(params); });
}

int set_params(void* ctx, const OSSL_PARAM params[]) {
  return with(ctx, [&](KeyExchange& exchange) { return exchange.set_params(params); });
}

const OSSL_PARAM* gettable_params(void* /*ctx*/, void* /*provctx*/) {
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

const OSSL_PARAM* settable_params(void* /*ctx*/, void* /*provctx*/) {
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

const OSSL_DISPATCH* functions() {
  static const OSSL_DISPATCH table[] = {
      entry<OSSL_FUNC_keyexch_newctx_fn>(OSSL_FUNC_KEYEXCH_NEWCTX, new_context),
      entry<OSSL_FUNC_keyexch_freectx_fn>(OSSL_FUNC_KEYEXCH_FREECTX, free_context),
      entry<OSSL_FUNC_keyexch_dupctx_fn>(OSSL_FUNC_KEYEXCH_DUPCTX, duplicate_context),
      entry<OSSL_FUNC_keyexch_init_fn>(OSSL_FUNC_KEYEXCH_INIT, begin),
      entry<OSSL_FUNC_keyexch_set_peer_fn>(OSSL_FUNC_KEYEXCH_SET_PEER, set_peer),
      entry<OSSL_FUNC_keyexch_derive_fn>(OSSL_FUNC_KEYEXCH_DERIVE, derive),
      entry<OSSL_FUNC_keyexch_get_ctx_params_fn>(OSSL_FUNC_KEYEXCH_GET_CTX_PARAMS, get_params),
      entry<OSSL_FUNC_keyexch_gettable_ctx_params_fn>(OSSL_FUNC_KEYEXCH_GETTABLE_CTX_PARAMS, gettable_params),
      entry<OSSL_FUNC_keyexch_set_ctx_params_fn>(OSSL_FUNC_KEYEXCH_SET_CTX_PARAMS, set_params),
      entry<OSSL_FUNC_keyexch_settable_ctx_params_fn>(OSSL_FUNC_KEYEXCH_SETTABLE_CTX_PARAMS, settable_params),
      kEndOfDispatch,
  };
  return table;
}

}  // namespace

const OSSL_ALGORITHM* key_exchange_algorithms() noexcept {
  static const OSSL_ALGORITHM algorithms[] = {
      {kEc.key_exchange, kProperties, functions(), "ECDH with keys on PKCS#11 tokens"},
      {nullptr, nullptr, nullptr, nullptr},
  };
  return algorithms;
}

}  // namespace keystay::provider
