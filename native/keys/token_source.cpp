#include "native/keys/token_source.h"

#include <utility>

#include "native/pkcs11/slot.h"

namespace keystay::keys {
namespace {

using pkcs11::TokenInfo;

bool fits(const TokenInfo& token, const pkcs11::TokenIdentity& wanted) {
  const auto is = [](const std::string& value, const std::string& any) {
    return any.empty() || value == any;
  };
  return (token.flags & CKF_TOKEN_INITIALIZED) != 0 && is(token.manufacturer, wanted.manufacturer) &&
         is(token.model, wanted.model);
}

}  // namespace

TokenSource::TokenSource(std::shared_ptr<pkcs11::Token> token, PinSupply pin_supply)
    : token_(std::move(token)), pin_supply_(pin_supply) {}

// Shares ownership with the token.
std::shared_ptr<pkcs11::KeyOperations> TokenSource::attempts() { return {token_, &token_->attempts()}; }

PinSupply TokenSource::pin_supply() const noexcept {
  return token_->options().pin ? pin_supply_ : PinSupply::none;
}

std::string TokenSource::pin_label() const {
  const pkcs11::TokenOptions& options = token_->options();
  return options.identity.label.empty() ? options.name : options.identity.label;
}

// Not by Token::info(), which logs in first.
bool TokenSource::wants_pin() {
  pkcs11::Module& module = token_->module();
  const CK_FLAGS flags = pkcs11::find_token(module, token_->options().identity, token_->deadline()).flags;
  return (flags & CKF_LOGIN_REQUIRED) && !(flags & CKF_PROTECTED_AUTHENTICATION_PATH);
}

std::vector<TokenInfo> TokenSource::candidates() {
  const pkcs11::TokenIdentity& identity = token_->options().identity;
  if (!identity.label.empty() || !identity.serial.empty()) return {};
  std::vector<TokenInfo> tokens = pkcs11::tokens_of(token_->module(), token_->deadline());
  std::erase_if(tokens, [&](const TokenInfo& token) { return !fits(token, identity); });
  return tokens;
}

std::shared_ptr<KeySource> TokenSource::without_login() { return without_login(token_->options().identity); }

std::shared_ptr<KeySource> TokenSource::without_login(pkcs11::TokenIdentity candidate) {
  pkcs11::TokenOptions options = token_->options();
  options.identity = std::move(candidate);
  options.pin = nullptr;
  return std::make_shared<TokenSource>(
      std::make_shared<pkcs11::Token>(token_->shared_module(), std::move(options)));
}

void TokenSource::generate_random(std::span<std::uint8_t> random) {
  token_->with_session([&](pkcs11::Session& session) { session.generate_random(random); });
}

}  // namespace keystay::keys
