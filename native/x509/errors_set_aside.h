// What is on libcrypto's error queue already when an attempt begins.
#pragma once

#include <string>
#include <vector>

namespace keystay::x509 {

// Takes the errors that stand on this thread's queue off it, so that openssl_error() tells of this attempt
// only, and puts them back on destruction. Who left them there: the application that a provider runs in, or a
// PKCS #11 module, which may use the same libcrypto (SoftHSM looks for engines and leaves "dso not found").
// Costs one look where the queue is empty. OpenSSL 3.2 has OSSL_ERR_STATE_save() for this; 3.0 has not.
class ErrorsSetAside final {
 public:
  ErrorsSetAside();
  ErrorsSetAside(const ErrorsSetAside&) = delete;
  ErrorsSetAside& operator=(const ErrorsSetAside&) = delete;
  ~ErrorsSetAside();

 private:
  struct RaisedError {
    unsigned long code;
    std::string file;
    int line;
    std::string function;
    std::string text;
  };
  std::vector<RaisedError> errors_;  // oldest first
};

}  // namespace keystay::x509
