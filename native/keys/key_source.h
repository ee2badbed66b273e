// Where keys are. It is what every front door holds; which kind it is, a lone token, a group of tokens, or
// one on another machine, is known to what reads the configuration, and to nothing else.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "native/keys/replication.h"
#include "native/pkcs11/error.h"
#include "native/pkcs11/key_operations.h"
#include "native/pkcs11/token_info.h"

namespace keystay::pkcs11 {
class Session;
}

namespace keystay::keys {

// Where its PIN comes from.
enum class PinSupply {
  none,        // it is used without a login
  configured,  // a file, a variable, a credential, or what a URI says
  prompt,      // a person is asked
};

// Nothing touches a token before the first use. Thread-safe. Throws pkcs11::Error that names the source.
//
// A KeyStore (key_store.h) over it finds, lists, makes, imports, renames and destroys keys and certificates.
class KeySource {
 public:
  KeySource() = default;
  KeySource(const KeySource&) = delete;
  KeySource& operator=(const KeySource&) = delete;
  virtual ~KeySource() = default;

  // For messages: `token "web"`.
  [[nodiscard]] virtual std::string name() const = 0;

  // What signs, decrypts and derives with its keys; lives on with the keys that use it. A signature goes
  // there straight, not through the source.
  [[nodiscard]] virtual std::shared_ptr<pkcs11::KeyOperations> operations() = 0;
  // The same in one attempt each: what fails is told at once, with its class, and repaired by recover().
  [[nodiscard]] virtual std::shared_ptr<pkcs11::KeyOperations> attempts() = 0;

  // How many operations it does at a time, and how long one may take, queueing included.
  [[nodiscard]] virtual std::size_t capacity() const noexcept = 0;
  [[nodiscard]] virtual std::chrono::milliseconds timeout() const noexcept = 0;

  [[nodiscard]] virtual PinSupply pin_supply() const noexcept = 0;
  // Of what a person is asked the PIN: CK_TOKEN_INFO.label, or its name in the configuration.
  [[nodiscard]] virtual std::string pin_label() const = 0;
  // Whether its login wants a PIN that must come from this program, as things are now. Does not log in.
  [[nodiscard]] virtual bool wants_pin() = 0;

  // Whether a process that starts now could log in as this one did: reads the PIN, and tries none. Throws
  // pkcs11::Error (authentication) that says what is wrong with where the PIN is read from.
  virtual void require_repeatable_login() = 0;

  // Why it cannot be used, as far as uses have shown; nothing while it is well, or unused. Asks no token.
  [[nodiscard]] virtual std::optional<pkcs11::Error> failure() = 0;
  // Makes it usable: connects and logs in, if it is not connected or if attempts() has shown it broken.
  virtual void recover() = 0;

  // By what its keys are named in references.
  [[nodiscard]] virtual pkcs11::TokenInfo info() = 0;
  // Where its description fits several tokens: those that are there. Otherwise none is looked for.
  [[nodiscard]] virtual std::vector<pkcs11::TokenInfo> candidates() = 0;
  // The same source, or one of its candidates, for reading what shows without a login: no PIN is read or
  // asked for.
  [[nodiscard]] virtual std::shared_ptr<KeySource> without_login() = 0;
  [[nodiscard]] virtual std::shared_ptr<KeySource> without_login(pkcs11::TokenIdentity candidate) = 0;

  // Of a source of several tokens: see KeyStore for what it means for changes.
  [[nodiscard]] virtual std::optional<Replication> replication() { return std::nullopt; }

  // C_GenerateRandom.
  virtual void generate_random(std::span<std::uint8_t> random) = 0;

  // For the alias model in native/keys alone: see pkcs11::Token. A source of several tokens chooses one for
  // reading. `body` may run twice.
  virtual void with_session(const std::function<void(pkcs11::Session&)>& body) = 0;
  // The same for a body that looks for something and returns whether it was there: a source of several tokens
  // goes on to the next one as long as it was not.
  virtual void search(const std::function<bool(pkcs11::Session&)>& body) {
    with_session([&](pkcs11::Session& session) { static_cast<void>(body(session)); });
  }
  virtual void with_rw_session(const std::function<void(pkcs11::Session&)>& body) = 0;
  virtual void require_login(pkcs11::Session& session) = 0;
  // After a change of its objects: ends the copies of keys that sessions hold.
  virtual void renew_sessions() = 0;
};

// For messages about what a source lacks: its name(), with the members of a group: `group "front" (hsm-a,
// hsm-b)`.
[[nodiscard]] std::string name_with_members(KeySource& source);

}  // namespace keystay::keys
