#include "provider/core.h"

#include <cstdarg>
#include <cstring>

#include <openssl/params.h>

namespace keystay::provider {
namespace {

void set_error(OSSL_FUNC_core_vset_error_fn* vset_error, const OSSL_CORE_HANDLE* handle, Reason reason,
               const char* format, ...) noexcept {
  va_list arguments;
  va_start(arguments, format);
  vset_error(handle, static_cast<std::uint32_t>(reason), format, arguments);
  va_end(arguments);
}

// The name without the place where it was built. libcrypto keeps the pointer.
const char* file_name(const char* path) noexcept {
  const char* slash = std::strrchr(path, '/');
  return slash ? slash + 1 : path;
}

}  // namespace

Core::Core(const OSSL_CORE_HANDLE* handle, const OSSL_DISPATCH* functions) noexcept
    : handle_(handle), functions_(functions) {
  for (; functions->function_id != 0; ++functions) {
    switch (functions->function_id) {
      case OSSL_FUNC_CORE_GET_PARAMS:
        get_params_ = OSSL_FUNC_core_get_params(functions);
        break;
      case OSSL_FUNC_CORE_NEW_ERROR:
        new_error_ = OSSL_FUNC_core_new_error(functions);
        break;
      case OSSL_FUNC_CORE_SET_ERROR_DEBUG:
        set_error_debug_ = OSSL_FUNC_core_set_error_debug(functions);
        break;
      case OSSL_FUNC_CORE_VSET_ERROR:
        vset_error_ = OSSL_FUNC_core_vset_error(functions);
        break;
      default:
        break;
    }
  }
}

std::string_view Core::parameter(const char* name) const {
  char* value = nullptr;
  OSSL_PARAM request[] = {OSSL_PARAM_construct_utf8_ptr(name, &value, 0), OSSL_PARAM_construct_end()};
  if (!get_params_ || !get_params_(handle_, request) || !value) return {};
  return value;
}

void Core::raise(Reason reason, const char* message, Place place) const noexcept {
  if (!new_error_ || !set_error_debug_ || !vset_error_) return;
  new_error_(handle_);
  set_error_debug_(handle_, file_name(place.file), place.line, place.function);
  set_error(vset_error_, handle_, reason, "%s", message);
}

void Core::raise_current_exception(Place place) const noexcept {
  const Failure failure = current_failure();
  raise(failure.reason, failure.message.c_str(), place);
}

}  // namespace keystay::provider
