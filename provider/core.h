// What libcrypto's core gives a provider when it loads it (provider-base(7)).
#pragma once

#include <string_view>

#include <openssl/core.h>
#include <openssl/core_dispatch.h>

#include "provider/reason.h"

namespace keystay::provider {

// Where an entry on the error queue comes from. As a default argument: the place of the call.
struct Place {
  const char* file = __builtin_FILE();
  int line = __builtin_LINE();
  const char* function = __builtin_FUNCTION();
};

class Core final {
 public:
  Core(const OSSL_CORE_HANDLE* handle, const OSSL_DISPATCH* functions) noexcept;

  [[nodiscard]] const OSSL_CORE_HANDLE* handle() const noexcept { return handle_; }
  [[nodiscard]] const OSSL_DISPATCH* functions() const noexcept { return functions_; }

  // The value of this name in the provider's section of openssl.cnf, or of one of libcrypto's own names for a
  // provider; empty if there is none. It is libcrypto's, and lives as long as the provider is loaded.
  [[nodiscard]] std::string_view parameter(const char* name) const;

  // Puts an entry on the error queue of this thread.
  void raise(Reason reason, const char* message, Place place = {}) const noexcept;
  // The same for the exception that is being handled.
  void raise_current_exception(Place place = {}) const noexcept;

 private:
  const OSSL_CORE_HANDLE* handle_;
  const OSSL_DISPATCH* functions_;  // libcrypto's own table: it lives as long as libcrypto
  OSSL_FUNC_core_get_params_fn* get_params_ = nullptr;
  OSSL_FUNC_core_new_error_fn* new_error_ = nullptr;
  OSSL_FUNC_core_set_error_debug_fn* set_error_debug_ = nullptr;
  OSSL_FUNC_core_vset_error_fn* vset_error_ = nullptr;
};

}  // namespace keystay::provider
