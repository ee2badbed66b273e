#include "tlsd/tls/openssl_error.h"

#include <system_error>

#include <openssl/err.h>

namespace keystay::tlsd {
namespace {

std::string reason_of(unsigned long code) {
  if (ERR_SYSTEM_ERROR(code)) return std::generic_category().message(ERR_GET_REASON(code));
  const char* reason = ERR_reason_error_string(code);
  return reason != nullptr ? reason : "error " + std::to_string(code);
}

std::string reason_text(unsigned long code, const char* data, int flags) {
  std::string text = reason_of(code);
  if ((flags & ERR_TXT_STRING) != 0 && data != nullptr && *data != '\0') text += std::string(": ") + data;
  return text;
}

}  // namespace

std::string openssl_reasons() {
  std::string reasons;
  const char* data = nullptr;
  int flags = 0;
  while (const unsigned long code = ERR_get_error_all(nullptr, nullptr, nullptr, &data, &flags)) {
    const std::string text = reason_text(code, data, flags);
    if (reasons.find(text) != std::string::npos) continue;  // each layer repeats the one below it
    if (!reasons.empty()) reasons += "; ";
    reasons += text;
  }
  return reasons;
}

CryptoError openssl_error(std::string_view what) {
  const std::string reasons = openssl_reasons();
  return CryptoError(reasons.empty() ? std::string(what) : std::string(what) + ": " + reasons);
}

}  // namespace keystay::tlsd
