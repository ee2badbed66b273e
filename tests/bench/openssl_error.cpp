#include "tests/bench/openssl_error.h"

#include <array>
#include <stdexcept>
#include <string>

#include <openssl/err.h>

namespace keystay::bench {

void require(bool success, const char* call) {
  if (success) [[likely]]
    return;
  std::string what = std::string(call) + " failed";
  std::array<char, 256> text{};
  const char* data = nullptr;
  int flags = 0;
  while (const unsigned long code = ERR_get_error_all(nullptr, nullptr, nullptr, &data, &flags)) {
    ERR_error_string_n(code, text.data(), text.size());
    what += std::string("; ") + text.data();
    if ((flags & ERR_TXT_STRING) != 0 && *data != '\0') what += std::string(": ") + data;
  }
  throw std::runtime_error(what);
}

}  // namespace keystay::bench
