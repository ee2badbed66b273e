// The error of this layer: a certificate, name or key that libcrypto or the standard refuses.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace keystay::x509 {

// The message says what failed, on what, why and what to do.
class Error : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

// `what`, with the reasons on libcrypto's error queue, which is empty afterwards.
[[nodiscard]] Error openssl_error(std::string_view what);

}  // namespace keystay::x509
