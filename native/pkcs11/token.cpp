#include "native/pkcs11/token.h"

#include "native/pkcs11/key_refusal.h"
#include "native/pkcs11/login.h"
#include "native/pkcs11/token_connection.h"

namespace keystay::pkcs11 {

Token::Token(std::shared_ptr<Module> module, TokenOptions options)
    : module_(std::move(module)),
      options_(std::move(options)),
      connection_([this] { return std::make_unique<TokenConnection>(*module_, options_); }) {}

Token::~Token() = default;

template <typename Body>
auto Token::with_key(Trials trials, const KeyReference& key, const KeyDemand& demand, Deadline deadline,
                     const Body& body) {
  TokenConnection& connection = connection_.get();
  const auto operation = [&](PooledSession& session) {
    const CK_OBJECT_HANDLE handle = connection.key_handle(session, key);
    try {
      return connection.use_key(session, handle, deadline, [&](const OperationBegun& begun) {
        return body(session.session, handle, begun);
      });
    } catch (const Error& error) {
      throw explained(error, session.session, handle, demand);
    }
  };
  try {
    return trials == Trials::one ? connection.perform_once(deadline, operation)
                                 : connection.perform(deadline, operation);
  } catch (const Error& error) {
    throw error.on(key.name() + " on " + name());
  }
}

std::size_t Token::sign(Trials trials, const KeyReference& key, const SignMechanism& mechanism, ByteView data,
                        std::span<std::uint8_t> signature, Deadline deadline) {
  return with_key(trials, key, {type(mechanism), CKA_SIGN}, deadline,
                  [&](Session& session, CK_OBJECT_HANDLE handle, const OperationBegun& begun) {
                    return session.sign(handle, mechanism, data, signature, begun);
                  });
}

std::size_t Token::decrypt(Trials trials, const KeyReference& key, const DecryptMechanism& mechanism,
                           ByteView ciphertext, std::span<std::uint8_t> plaintext, Deadline deadline) {
  return with_key(trials, key, {type(mechanism), CKA_DECRYPT}, deadline,
                  [&](Session& session, CK_OBJECT_HANDLE handle, const OperationBegun& begun) {
                    return session.decrypt(handle, mechanism, ciphertext, plaintext, begun);
                  });
}

void Token::derive(Trials trials, const KeyReference& key, ByteView peer_point,
                   std::span<std::uint8_t> secret, Deadline deadline) {
  with_key(trials, key, {CKM_ECDH1_DERIVE, CKA_DERIVE}, deadline,
           [&](Session& session, CK_OBJECT_HANDLE handle, const OperationBegun&) {
             session.derive(handle, peer_point, secret);
           });
}

std::size_t Token::sign(const KeyReference& key, const SignMechanism& mechanism, ByteView data,
                        std::span<std::uint8_t> signature, Deadline deadline) {
  return sign(Trials::repaired, key, mechanism, data, signature, deadline);
}

std::size_t Token::decrypt(const KeyReference& key, const DecryptMechanism& mechanism, ByteView ciphertext,
                           std::span<std::uint8_t> plaintext, Deadline deadline) {
  return decrypt(Trials::repaired, key, mechanism, ciphertext, plaintext, deadline);
}

void Token::derive(const KeyReference& key, ByteView peer_point, std::span<std::uint8_t> secret,
                   Deadline deadline) {
  derive(Trials::repaired, key, peer_point, secret, deadline);
}

std::size_t Token::Attempts::sign(const KeyReference& key, const SignMechanism& mechanism, ByteView data,
                                  std::span<std::uint8_t> signature, Deadline deadline) {
  return token_.sign(Trials::one, key, mechanism, data, signature, deadline);
}

std::size_t Token::Attempts::decrypt(const KeyReference& key, const DecryptMechanism& mechanism,
                                     ByteView ciphertext, std::span<std::uint8_t> plaintext,
                                     Deadline deadline) {
  return token_.decrypt(Trials::one, key, mechanism, ciphertext, plaintext, deadline);
}

void Token::Attempts::derive(const KeyReference& key, ByteView peer_point, std::span<std::uint8_t> secret,
                             Deadline deadline) {
  token_.derive(Trials::one, key, peer_point, secret, deadline);
}

bool Token::Attempts::supports(const SignMechanism& mechanism) { return token_.supports(mechanism); }

bool Token::Attempts::supports_decryption(const DecryptMechanism& mechanism) {
  return token_.supports_decryption(mechanism);
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

bool Token::supports(const SignMechanism& mechanism) { return supports(type(mechanism), CKF_SIGN); }

bool Token::supports_decryption(const DecryptMechanism& mechanism) {
  return supports(type(mechanism), CKF_DECRYPT);
}

bool Token::supports(CK_MECHANISM_TYPE mechanism, CK_FLAGS use) {
  try {
    return (connection_.get().uses_of(mechanism, deadline()) & use) != 0;
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
    connection_.get().perform(deadline(), [&](PooledSession& session) { body(session.session); });
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
