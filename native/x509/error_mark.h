// libcrypto's error queue during an attempt whose failure is an answer.
#pragma once

#include <openssl/err.h>

namespace keystay::x509 {

// Errors that are raised while this object lives are dropped.
class ErrorMark final {
 public:
  ErrorMark() noexcept { ERR_set_mark(); }
  ErrorMark(const ErrorMark&) = delete;
  ErrorMark& operator=(const ErrorMark&) = delete;
  ~ErrorMark() { ERR_pop_to_mark(); }
};

}  // namespace keystay::x509
