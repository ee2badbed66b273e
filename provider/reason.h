// The reasons of this provider's entries on OpenSSL's error queue (ERR_GET_REASON).
#pragma once

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>

#include <openssl/core.h>

#include "native/pkcs11/cryptoki.h"

namespace keystay::provider {

enum class Reason : std::uint32_t {
  configuration = 1,
  reference,
  key_not_found,
  token_refused,
  token_unavailable,
  login,
  not_exportable,
  another_key,
  unsupported,
  software,
  abandoned,
  resources,
  internal,
  refused,  // by Keystay itself, which asked no token or did not like what it found there
};

// For OSSL_FUNC_provider_get_reason_strings: ends with an entry of id 0.
[[nodiscard]] const OSSL_ITEM* reason_strings() noexcept;

// What goes onto the error queue.
struct Failure {
  Reason reason;
  std::string message;
  std::optional<CK_RV> code{};  // of the module, where it is the one that failed
};

// The exception that is being handled, as such an entry.
[[nodiscard]] Failure current_failure() noexcept;

// The error of this layer. The message goes into the entry's data.
class Error : public std::runtime_error {
 public:
  Error(Reason reason, const std::string& message) : std::runtime_error(message), reason_(reason) {}
  // What failed on another thread.
  explicit Error(const Failure& failure)
      : std::runtime_error(failure.message), reason_(failure.reason), code_(failure.code) {}
  [[nodiscard]] Reason reason() const noexcept { return reason_; }
  [[nodiscard]] std::optional<CK_RV> code() const noexcept { return code_; }

 private:
  Reason reason_;
  std::optional<CK_RV> code_;
};

// A libcrypto function failed and has left its own entries on the error queue, which say why.
class SoftwareFailure final : public Error {
 public:
  explicit SoftwareFailure(const char* function)
      : Error(Reason::software, std::string(function) + " failed") {}
};

}  // namespace keystay::provider
