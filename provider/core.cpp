#include "provider/core.h"

#include <cstdarg>
#include <cstring>
#include <new>

#include <openssl/params.h>

#include "native/config/error.h"
#include "native/pkcs11/error.h"
#include "native/x509/error.h"

namespace keystay::provider {
namespace {

void set_error(OSSL_FUNC_core_vset_error_fn* vset_error, const OSSL_CORE_HANDLE* handle, Reason reason,
               const char* format, ...) noexcept {
  va_list arguments;
  va_start(arguments, format);
  vset_error(handle, static_cast<std::uint32_t>(reason), format, arguments);
  va_end(arguments);
}

Reason reason_of(const pkcs11::Error& error) noexcept {
  using pkcs11::ErrorClass;
  switch (error.error_class()) {
    case ErrorClass::client:
    case ErrorClass::dirty_session:
      return Reason::token_refused;
    case ErrorClass::server:
    case ErrorClass::busy:
    case ErrorClass::session_lost:
      return Reason::token_unavailable;
    case ErrorClass::authentication:
      return Reason::login;
    case ErrorClass::host:
      return Reason::resources;
  }
  return Reason::internal;
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

std::string Core::parameter(const char* name) const {
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
  try {
    throw;
  } catch (const Error& error) {
    raise(error.reason(), error.what(), place);
  } catch (const pkcs11::Error& error) {
    raise(reason_of(error), error.what(), place);
  } catch (const config::Error& error) {
    raise(Reason::configuration, error.what(), place);
  } catch (const x509::Error& error) {
    raise(Reason::reference, error.what(), place);
  } catch (const std::bad_alloc&) {
    raise(Reason::resources, "out of memory", place);
  } catch (const std::exception& error) {
    raise(Reason::internal, error.what(), place);
  } catch (...) {
    raise(Reason::internal, "an exception of unknown type", place);
  }
}

}  // namespace keystay::provider
