#include "native/pkcs11/token_key.h"

#include <optional>

#include "native/pkcs11/key_object.h"

namespace keystay::pkcs11 {

TokenKey::TokenKey(Session& session, CK_OBJECT_HANDLE handle, Clock::time_point seen)
    : handle_(handle),
      generation_(session.generation()),
      seen_(seen),
      told_(read_identity(session, handle).value_or(Attributes())) {}

bool TokenKey::due(std::chrono::milliseconds interval) noexcept {
  const auto age = Clock::now() - seen_.load(std::memory_order_acquire);
  if (age < interval) [[likely]]
    return false;
  const bool another_looks = looking_.exchange(true, std::memory_order_acq_rel);
  return !another_looks || age >= 2 * interval;
}

bool TokenKey::look(Session& session) {
  struct End {
    std::atomic<bool>& looking;
    ~End() { looking.store(false, std::memory_order_release); }
  } end{looking_};
  const auto now = Clock::now();
  if (read_identity(session, handle_) != told_) return false;
  seen_.store(now, std::memory_order_release);
  return true;
}

}  // namespace keystay::pkcs11
