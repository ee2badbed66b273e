#include "native/pkcs11/token.h"

#include "native/pkcs11/login.h"
#include "native/pkcs11/token_connection.h"

namespace keystay::pkcs11 {

Token::Token(std::shared_ptr<Module> module, TokenOptions options)
    : module_(std::move(module)),
      options_(std::move(options)),
      connection_([this] { return std::make_unique<TokenConnection>(*module_, options_); }) {}

Token::~Token() = default;

std::size_t Token::perform(const KeyReference& key, const Operation& operation, ByteView data,
                           std::span<std::uint8_t> result, Deadline deadline) {
  try {
    return connection_.get().perform({key, operation, data, result}, deadline);
  } catch (const Error& error) {
    throw error.on(key.name() + " on " + name());
  }
}

std::size_t Token::Attempts::perform(const KeyReference& key, const Operation& operation, ByteView data,
                                     std::span<std::uint8_t> result, Deadline deadline) {
  try {
    return token_.connection_.get().perform_once({key, operation, data, result}, deadline);
  } catch (const Error& error) {
    throw error.on(key.name() + " on " + name());
  }
}

std::optional<Error> Token::failure() {
  const std::optional<Error> failure = connection_.get().failure();
  return failure ? std::optional(failure->on(name())) : std::nullopt;
}

bool Token::is_open() { return connection_.get().is_open(); }

void Token::recover() {
  try {
    connection_.get().recover_now(deadline());
  } catch (const Error& error) {
    throw error.on(name());
  }
}

bool Token::supports(const Operation& operation) {
  try {
    return (connection_.get().uses_of(type(operation), deadline()) & permission(operation).flag) != 0;
  } catch (const Error& error) {
    throw error.on(name());
  }
}

Deadline Token::deadline() const { return std::chrono::steady_clock::now() + options_.timeout; }

std::string Token::name() const { return "token \"" + options_.name + "\""; }

TokenInfo Token::info() {
  try {
    return connection_.get().info(deadline());
  } catch (const Error& error) {
    throw error.on(name());
  }
}

void Token::with_session(const std::function<void(Session&)>& body) {
  try {
    connection_.get().with_session(deadline(), body);
  } catch (const Error& error) {
    throw error.on(name());
  }
}

void Token::renew_sessions() { connection_.get().begin_epoch(); }

void Token::require_login(Session& session) {
  pkcs11::require_login(session, connection_.get().info(deadline()), options_.pin);
}

void Token::require_repeatable_login() {
  with_session([&](Session& session) {
    pkcs11::require_repeatable_login(session, connection_.get().info(deadline()), options_.pin);
  });
}

void Token::with_rw_session(const std::function<void(Session&)>& body) {
  try {
    connection_.get().perform_rw(deadline(), body);
  } catch (const Error& error) {
    throw error.on(name());
  }
}

}  // namespace keystay::pkcs11
