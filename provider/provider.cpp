// The entry point of keystay.so (provider-base(7)).
#include <memory>

#include <openssl/core.h>
#include <openssl/core_names.h>
#include <openssl/params.h>

#include "provider/async/outside_of_jobs.h"
#include "provider/context.h"
#include "provider/dispatch.h"
#include "provider/operations.h"

namespace keystay::provider {
namespace {

const OSSL_PARAM* gettable_params(void* /*provctx*/) noexcept {
  static const OSSL_PARAM params[] = {
      OSSL_PARAM_DEFN(OSSL_PROV_PARAM_NAME, OSSL_PARAM_UTF8_PTR, nullptr, 0),
      OSSL_PARAM_DEFN(OSSL_PROV_PARAM_VERSION, OSSL_PARAM_UTF8_PTR, nullptr, 0),
      OSSL_PARAM_DEFN(OSSL_PROV_PARAM_BUILDINFO, OSSL_PARAM_UTF8_PTR, nullptr, 0),
      OSSL_PARAM_DEFN(OSSL_PROV_PARAM_STATUS, OSSL_PARAM_INTEGER, nullptr, 0),
      OSSL_PARAM_END,
  };
  return params;
}

int get_params(void* /*provctx*/, OSSL_PARAM params[]) noexcept {
  const auto set_text = [&](const char* name, const char* text) noexcept {
    OSSL_PARAM* param = OSSL_PARAM_locate(params, name);
    return !param || OSSL_PARAM_set_utf8_ptr(param, text) == 1;
  };
  OSSL_PARAM* status = OSSL_PARAM_locate(params, OSSL_PROV_PARAM_STATUS);
  return set_text(OSSL_PROV_PARAM_NAME, "Keystay provider") &&
                 set_text(OSSL_PROV_PARAM_VERSION, KEYSTAY_VERSION) &&
                 set_text(OSSL_PROV_PARAM_BUILDINFO, KEYSTAY_VERSION) &&
                 (!status || OSSL_PARAM_set_int(status, 1) == 1)
             ? 1
             : 0;
}

// The same tables always, whatever tokens there are, so that libcrypto may keep them: an application that
// asks before the first key is loaded must not conclude that there are no algorithms.
const OSSL_ALGORITHM* query_operation(void* /*provctx*/, int operation, int* no_cache) noexcept {
  *no_cache = 0;
  switch (operation) {
    case OSSL_OP_KEYMGMT:
      return keymgmt_algorithms();
    case OSSL_OP_SIGNATURE:
      return signature_algorithms();
    case OSSL_OP_KEYEXCH:
      return key_exchange_algorithms();
    case OSSL_OP_ASYM_CIPHER:
      return asymmetric_cipher_algorithms();
    case OSSL_OP_STORE:
      return store_algorithms();
    case OSSL_OP_DECODER:
      return decoder_algorithms();
    case OSSL_OP_ENCODER:
      return encoder_algorithms();
    case OSSL_OP_RAND:
      return random_algorithms();
    default:
      return nullptr;
  }
}

const OSSL_ITEM* get_reason_strings(void* /*provctx*/) noexcept { return reason_strings(); }

// Closes sessions.
void teardown(void* provctx) noexcept {
  end_outside_of_jobs([&]() noexcept { delete static_cast<Context*>(provctx); });
}

const OSSL_DISPATCH* functions() {
  static const OSSL_DISPATCH table[] = {
      entry<OSSL_FUNC_provider_gettable_params_fn>(OSSL_FUNC_PROVIDER_GETTABLE_PARAMS, gettable_params),
      entry<OSSL_FUNC_provider_get_params_fn>(OSSL_FUNC_PROVIDER_GET_PARAMS, get_params),
      entry<OSSL_FUNC_provider_query_operation_fn>(OSSL_FUNC_PROVIDER_QUERY_OPERATION, query_operation),
      entry<OSSL_FUNC_provider_get_reason_strings_fn>(OSSL_FUNC_PROVIDER_GET_REASON_STRINGS,
                                                      get_reason_strings),
      entry<OSSL_FUNC_provider_get_capabilities_fn>(OSSL_FUNC_PROVIDER_GET_CAPABILITIES, get_capabilities),
      entry<OSSL_FUNC_provider_teardown_fn>(OSSL_FUNC_PROVIDER_TEARDOWN, teardown),
      kEndOfDispatch,
  };
  return table;
}

}  // namespace
}  // namespace keystay::provider

// Remembers what the core gives and does nothing else: configuration, tokens and modules wait for the first
// key.
extern "C" [[gnu::visibility("default")]] int OSSL_provider_init(const OSSL_CORE_HANDLE* handle,
                                                                 const OSSL_DISPATCH* in,
                                                                 const OSSL_DISPATCH** out, void** provctx) {
  using namespace keystay::provider;
  try {
    *provctx = new Context(handle, in);
  } catch (...) {  // there is no core yet to raise it on
    return 0;
  }
  *out = functions();
  return 1;
}
