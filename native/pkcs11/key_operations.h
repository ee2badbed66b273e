// The one narrow interface through which a private key is used: by a token, or by a group that looks like
// one.
#pragma once

#include <cstddef>
#include <span>

#include "native/pkcs11/key_reference.h"
#include "native/pkcs11/mechanism.h"

namespace keystay::pkcs11 {

// What a caller without other work does about a call of a module that does not return, which no thread can be
// taken out of.
enum class HungCalls {
  waited_for,  // it makes the call itself
  left,        // another thread makes the call, and is left in it at the deadline
};

class KeyOperations {
 public:
  KeyOperations() = default;
  KeyOperations(const KeyOperations&) = delete;
  KeyOperations& operator=(const KeyOperations&) = delete;
  virtual ~KeyOperations() = default;

  // Performs one operation with the key: `data` and `result` are as Operation says of each. Returns the
  // length of the result. Waits for room on the token until the deadline. Thread-safe. Throws Error.
  virtual std::size_t perform(const KeyReference& key, const Operation& operation, ByteView data,
                              std::span<std::uint8_t> result, Deadline deadline) = 0;

  // Whether the token's mechanism list has the operation's mechanism with CKF_SIGN, CKF_DECRYPT or
  // CKF_DERIVE; read once per process. Throws Error.
  [[nodiscard]] virtual bool supports(const Operation& operation) = 0;

  // The deadline of an operation that begins now, by the configured time-out.
  [[nodiscard]] virtual Deadline deadline() const = 0;
  // Whether a key is looked for on several tokens: Proof::wanted.
  [[nodiscard]] virtual bool on_several_tokens() const { return false; }
  // As configured. perform() makes its calls itself in any case.
  [[nodiscard]] virtual HungCalls hung_calls() const { return HungCalls::waited_for; }

  // For messages: `token "web"`.
  [[nodiscard]] virtual std::string name() const = 0;
};

}  // namespace keystay::pkcs11
