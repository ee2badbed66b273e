#include "native/x509/errors_set_aside.h"

#include <openssl/err.h>

namespace keystay::x509 {

ErrorsSetAside::ErrorsSetAside() {
  const char* file = nullptr;
  const char* function = nullptr;
  const char* data = nullptr;
  int line = 0;
  int flags = 0;
  while (const unsigned long code = ERR_get_error_all(&file, &line, &function, &data, &flags)) {
    const bool has_text = (flags & ERR_TXT_STRING) != 0 && data != nullptr;
    errors_.push_back({code, file, line, function, has_text ? data : ""});
  }
}

ErrorsSetAside::~ErrorsSetAside() {
  for (const RaisedError& error : errors_) {
    ERR_new();
    ERR_set_debug(error.file.c_str(), error.line, error.function.c_str());
    if (error.text.empty()) {
      ERR_set_error(ERR_GET_LIB(error.code), ERR_GET_REASON(error.code), nullptr);
    } else {
      ERR_set_error(ERR_GET_LIB(error.code), ERR_GET_REASON(error.code), "%s", error.text.c_str());
    }
  }
}

}  // namespace keystay::x509
