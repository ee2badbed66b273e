// OpenSSL's error queue, as text, as an exception, and as an error_code.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

#include <boost/system/error_code.hpp>

namespace keystay::tlsd {

// Loading keys and certificates: the message says what failed, on what, and why.
class CryptoError : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

// The reasons on this thread's queue, the root cause first; empties the queue.
[[nodiscard]] std::string openssl_reasons();

// `what`, followed by the reasons on the queue.
[[nodiscard]] CryptoError openssl_error(std::string_view what);

// The category of SSL errors: the value is OpenSSL's packed error code.
[[nodiscard]] const boost::system::error_category& tls_category() noexcept;

// The first error of the queue as an error_code; the queue stays as it is.
[[nodiscard]] boost::system::error_code first_tls_error() noexcept;

}  // namespace keystay::tlsd
