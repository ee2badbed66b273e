// OpenSSL's error queue as text and as an exception.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace keystay::tlsd {

// Loading keys and certificates: the message says what failed, on what, and why.
class CryptoError : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

// The reasons on this thread's queue, the root cause first; empties the queue.
[[nodiscard]] std::string openssl_reasons();

// `what`, followed by the reasons on the queue.
[[nodiscard]] CryptoError openssl_error(std::string_view what);

}  // namespace keystay::tlsd
