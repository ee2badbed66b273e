// OSSL_FUNC_provider_get_capabilities (provider-base(7)).
#pragma once

#include <openssl/core.h>

namespace keystay::provider {

int get_capabilities(void* provctx, const char* capability, OSSL_CALLBACK* callback, void* argument);

}  // namespace keystay::provider
