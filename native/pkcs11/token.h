// A token (PKCS #11 v3.0, section 2.2): found by label or serial, logged in once, used through pooled
// sessions, repaired when it comes back.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "native/pkcs11/key_operations.h"
#include "native/pkcs11/module.h"
#include "native/pkcs11/per_process.h"
#include "native/pkcs11/pin.h"
#include "native/pkcs11/session.h"
#include "native/pkcs11/slot.h"

namespace keystay::pkcs11 {

enum class KeyCopies {
  automatic,  // each session signs with a session-object copy of the key (C_CopyObject) where the token
              // allows it
  never,      // all sessions sign with the token object
};

struct TokenOptions {
  std::string name;  // for messages
  TokenIdentity identity;
  PinReader pin;  // empty: never log in
  std::size_t sessions = 32;
  std::chrono::milliseconds timeout{5000};
  KeyCopies key_copies = KeyCopies::automatic;
  HungCalls hung_calls = HungCalls::waited_for;
  std::chrono::milliseconds key_check{5000};  // how often the token is asked whether a key in use is there
};

class TokenConnection;

// Nothing touches the module before the first operation of a process, so a server that forks starts it in its
// children. Thread-safe. Login belongs to the token: once per process generation, never logged out. A lost
// session, a stale handle, a re-initialised module or a returned token is repaired once and the operation
// repeated.
class Token final : public KeyOperations {
 public:
  Token(std::shared_ptr<Module> module, TokenOptions options);
  ~Token() override;

  std::size_t perform(const KeyReference& key, const Operation& operation, ByteView data,
                      std::span<std::uint8_t> result, Deadline deadline) override;
  [[nodiscard]] bool supports(const Operation& operation) override;
  [[nodiscard]] Deadline deadline() const override;
  [[nodiscard]] HungCalls hung_calls() const override { return options_.hung_calls; }
  [[nodiscard]] std::string name() const override;

  // The same operations in one attempt each: a failure is thrown at once and nothing is repaired, so that a
  // caller with another token can use that. A token that is not connected fails with the error of its last
  // opening, without another one, until recover().
  [[nodiscard]] KeyOperations& attempts() noexcept { return attempts_; }
  // Whether this process has connected to it, and has not begun a repair since. Calls no module.
  [[nodiscard]] bool is_open();
  // What the last opening failed with, or else the last attempt that a repair could cure, if none has
  // succeeded since. Calls no module.
  [[nodiscard]] std::optional<Error> failure();
  // Connects and logs in, if there is a failure() or the token was never opened. Throws Error.
  void recover();

  [[nodiscard]] const TokenOptions& options() const noexcept { return options_; }
  [[nodiscard]] Module& module() const noexcept { return *module_; }
  [[nodiscard]] const std::shared_ptr<Module>& shared_module() const noexcept { return module_; }
  [[nodiscard]] TokenInfo info();

  // Runs `body` with a logged-in R/O or R/W session, and once more after a repair if its session was lost:
  // `body` must be repeatable. Throws Error, with the token's name. A R/W session sees all objects of the
  // token (require_login); a R/O session without a PIN sees what the token shows without a login.
  void with_session(const std::function<void(Session&)>& body);
  void with_rw_session(const std::function<void(Session&)>& body);
  // In a body of with_session, before it concludes anything from what it did not find: see login.h.
  void require_login(Session& session);
  // See login.h. Throws Error, with the token's name.
  void require_repeatable_login();

  // Closes this process's sessions, those on loan when they come back, and so ends the copies of keys that
  // they hold.
  void renew_sessions();

 private:
  // See attempts().
  class Attempts final : public KeyOperations {
   public:
    explicit Attempts(Token& token) noexcept : token_(token) {}
    std::size_t perform(const KeyReference& key, const Operation& operation, ByteView data,
                        std::span<std::uint8_t> result, Deadline deadline) override;
    [[nodiscard]] bool supports(const Operation& operation) override { return token_.supports(operation); }
    [[nodiscard]] Deadline deadline() const override { return token_.deadline(); }
    [[nodiscard]] HungCalls hung_calls() const override { return token_.hung_calls(); }
    [[nodiscard]] std::string name() const override { return token_.name(); }

   private:
    Token& token_;
  };

  std::shared_ptr<Module> module_;
  TokenOptions options_;
  PerProcess<TokenConnection> connection_;
  Attempts attempts_{*this};
};

}  // namespace keystay::pkcs11
