// What a CK_RV means for the caller: one table, and the one error type of this layer.
#pragma once

#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include "native/pkcs11/cryptoki.h"

namespace keystay::pkcs11 {

// What to do about a return value (PKCS #11 v3.0, section 5.1).
enum class ErrorClass {
  client,          // the request is wrong: return at once, nothing is retried
  server,          // the token or its host fails: elsewhere, once, if the operation can be replayed
  busy,            // the token has no room now: back off, then elsewhere
  session_lost,    // session, handle, login or module state is gone: repair, then retry once
  dirty_session,   // this session has an operation left over: discard it, retry once on a fresh one
  authentication,  // the PIN is wrong, locked or missing: never retried, the operator is needed
  host,            // this process lacks memory or locks: not the token's fault
};

[[nodiscard]] ErrorClass classify(CK_RV rv) noexcept;

// "CKR_KEY_HANDLE_INVALID (0x60)"; vendor codes are "CKR_VENDOR_DEFINED (0x80000001)".
[[nodiscard]] std::string describe(CK_RV rv);

// A failed call, or a state of the token that makes a call senseless. The message says what failed, on what,
// in which call, with which code, and what to do.
class Error : public std::runtime_error {
 public:
  // A Cryptoki function returned something other than CKR_OK.
  Error(CK_RV rv, const char* function);
  // Keystay itself found the fault: two objects that match, a time-out.
  Error(ErrorClass error_class, std::string message);
  // Keystay itself found what this return value says: CKR_TOKEN_NOT_PRESENT.
  Error(CK_RV rv, std::string message);

  [[nodiscard]] ErrorClass error_class() const noexcept { return class_; }
  // The return value, unless Keystay itself found the fault.
  [[nodiscard]] std::optional<CK_RV> code() const noexcept { return code_; }

  // The same error, with the object and the token it happened on: `alias "httpd" on token "web"`.
  [[nodiscard]] Error on(std::string_view subject) const;

 private:
  Error(ErrorClass error_class, std::optional<CK_RV> code, std::string message);

  ErrorClass class_;
  std::optional<CK_RV> code_;
};

// The only place that compares a CK_RV. `function` is a string literal: "C_SignInit".
inline void check(CK_RV rv, const char* function) {
  if (rv != CKR_OK) [[unlikely]]
    throw Error(rv, function);
}

}  // namespace keystay::pkcs11
