// A private key object of a token that sessions sign with or hold copies of (C_CopyObject), and whether it is
// still there: a copy signs on after another program has destroyed, replaced or restricted its original.
#pragma once

#include <atomic>
#include <chrono>

#include "native/pkcs11/session.h"

namespace keystay::pkcs11 {

// Shared by the sessions of one epoch of a token. Thread-safe.
class TokenKey final {
 public:
  using Clock = std::chrono::steady_clock;

  // Found by a search that began at `seen`. Reads what look() compares: one C_GetAttributeValue. Throws
  // Error.
  TokenKey(Session& session, CK_OBJECT_HANDLE handle, Clock::time_point seen);

  [[nodiscard]] CK_OBJECT_HANDLE handle() const noexcept { return handle_; }
  // Of the module: in another one the handle is none, or that of another object.
  [[nodiscard]] std::uint64_t generation() const noexcept { return generation_; }

  // Whether the caller must look() before it uses the key or a copy of it: no thread has done so for
  // `interval`. While one thread looks the others go on, but none for longer than twice the interval. Makes
  // no call.
  [[nodiscard]] bool due(std::chrono::milliseconds interval) noexcept;

  // One C_GetAttributeValue: false if the object is gone (PKCS #11 v3.0, section 5.7.5: its handle is not
  // valid then), or another one has its handle, or it may be used for other things than before. Throws Error
  // where the token does not answer.
  [[nodiscard]] bool look(Session& session);

 private:
  const CK_OBJECT_HANDLE handle_;
  const std::uint64_t generation_;
  std::atomic<Clock::time_point> seen_;
  std::atomic<bool> looking_{false};
  const Attributes told_;
};

}  // namespace keystay::pkcs11
