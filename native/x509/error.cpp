#include "native/x509/error.h"

#include <openssl/err.h>

namespace keystay::x509 {

Error openssl_error(std::string_view what) {
  std::string message(what);
  const char* separator = ": ";
  while (const unsigned long code = ERR_get_error()) {
    const char* reason = ERR_reason_error_string(code);
    message.append(separator).append(reason != nullptr ? reason : "unknown reason of OpenSSL");
    separator = ", ";
  }
  return Error(message);
}

}  // namespace keystay::x509
