// The person at the keyboard, whom OpenSSL reaches through the passphrase callback of a load (`pin =
// "prompt"`).
#pragma once

#include <map>
#include <string>
#include <string_view>

#include <openssl/core_dispatch.h>

#include "native/pkcs11/fork_lock.h"
#include "native/pkcs11/pin.h"

namespace keystay::provider {

struct PassphraseCallback {
  OSSL_PASSPHRASE_CALLBACK* function = nullptr;  // null: no person can be asked
  void* argument = nullptr;
};
// What this thread may ask through now.
[[nodiscard]] PassphraseCallback passphrase_callback() noexcept;

// While it lives, this thread may ask through the callback. Nests.
class PassphraseScope final {
 public:
  explicit PassphraseScope(const PassphraseCallback& callback) noexcept;
  PassphraseScope(const PassphraseScope&) = delete;
  PassphraseScope& operator=(const PassphraseScope&) = delete;
  ~PassphraseScope();

 private:
  PassphraseCallback outer_;
};

// Remembers the answers for the logins at which no person can be asked: those of a forked worker, or after
// the token was away. No lock is held while a person types. Thread-safe.
class PinDialogue final {
 public:
  // Asks for the PIN of this token; repeats the last answer if there is none now. Throws pkcs11::Error.
  [[nodiscard]] pkcs11::Pin ask(std::string_view token_label);

  // Asks now what the first signature will need, if a person can be asked now and has not been yet.
  void ask_ahead(std::string_view token_label);

 private:
  [[nodiscard]] bool knows(std::string_view token_label);
  [[nodiscard]] pkcs11::Pin recall(std::string_view token_label);
  void remember(std::string_view token_label, std::string_view pin);

  // By token label.
  std::map<std::string, pkcs11::Pin, std::less<>> answers_ KEYSTAY_GUARDED_BY(pkcs11::fork_mutex);
};

}  // namespace keystay::provider
