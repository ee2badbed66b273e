#include "tlsd/openssl_error.h"

#include <openssl/err.h>

namespace keystay::tlsd {
namespace {

class TlsCategory final : public boost::system::error_category {
 public:
  [[nodiscard]] const char* name() const noexcept override { return "tls"; }

  [[nodiscard]] std::string message(int value) const override {
    const char* reason = ERR_reason_error_string(static_cast<unsigned long>(static_cast<unsigned>(value)));
    return reason != nullptr ? reason : "TLS error " + std::to_string(value);
  }
};

std::string reason_text(unsigned long code, const char* data, int flags) {
  const char* reason = ERR_reason_error_string(code);
  std::string text = reason != nullptr ? reason : "error " + std::to_string(code);
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

const boost::system::error_category& tls_category() noexcept {
  static const TlsCategory category;
  return category;
}

boost::system::error_code first_tls_error() noexcept {
  const unsigned long code = ERR_peek_error();
  if (code == 0) return make_error_code(boost::system::errc::protocol_error);
  return {static_cast<int>(static_cast<unsigned>(code)), tls_category()};
}

}  // namespace keystay::tlsd
