#include "provider/configuration/passphrase.h"

#include <array>
#include <utility>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/params.h>

#include "native/pkcs11/error.h"
#include "native/pkcs11/fork_lock.h"

namespace keystay::provider {
namespace {

constexpr std::string_view kTyped = "what was typed";  // a PIN's origin

thread_local PassphraseCallback current;

// What is typed, on its way into a Pin.
class TypedPin final {
 public:
  TypedPin() = default;
  TypedPin(const TypedPin&) = delete;
  TypedPin& operator=(const TypedPin&) = delete;
  ~TypedPin() { OPENSSL_cleanse(characters_.data(), characters_.size()); }

  // False if nobody answers.
  [[nodiscard]] bool read(std::string_view token_label) {
    std::string info = "token " + std::string(token_label);
    const OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PASSPHRASE_PARAM_INFO, info.data(), info.size()),
        OSSL_PARAM_construct_end()};
    const int answered =
        current.function(characters_.data(), characters_.size(), &size_, parameters, current.argument);
    return answered == 1 && size_ > 0;
  }
  [[nodiscard]] std::string_view text() const noexcept { return {characters_.data(), size_}; }

 private:
  std::array<char, 1024> characters_{};
  std::size_t size_ = 0;
};

}  // namespace

PassphraseCallback passphrase_callback() noexcept { return current; }

PassphraseScope::PassphraseScope(const PassphraseCallback& callback) noexcept
    : outer_(std::exchange(current, callback)) {}

PassphraseScope::~PassphraseScope() { current = outer_; }

pkcs11::Pin PinDialogue::ask(std::string_view token_label) {
  TypedPin typed;
  if (!current.function || !typed.read(token_label)) return recall(token_label);
  remember(token_label, typed.text());
  return pkcs11::Pin(typed.text(), std::string(kTyped));
}

void PinDialogue::ask_ahead(std::string_view token_label) {
  if (current.function && !knows(token_label)) static_cast<void>(ask(token_label));
}

bool PinDialogue::knows(std::string_view token_label) {
  const pkcs11::ForkLock lock;
  return answers_.contains(token_label);
}

pkcs11::Pin PinDialogue::recall(std::string_view token_label) {
  const pkcs11::ForkLock lock;
  const auto answer = answers_.find(token_label);
  if (answer == answers_.end()) {
    throw pkcs11::Error(
        pkcs11::ErrorClass::authentication,
        "no PIN for token \"" + std::string(token_label) +
            "\": it is to be typed and nobody answers here; write pin = \"file:/path\" in keystay.toml, or "
            "pkcs11-module-token-pin = file:/path in openssl.cnf");
  }
  return answer->second.copy();
}

void PinDialogue::remember(std::string_view token_label, std::string_view pin) {
  pkcs11::Pin answer(pin, std::string(kTyped));
  const pkcs11::ForkLock lock;
  answers_.insert_or_assign(std::string(token_label), std::move(answer));
}

}  // namespace keystay::provider
