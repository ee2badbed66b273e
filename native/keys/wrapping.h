// Keys on their way from one token to another (PKCS #11 v3.0, section 5.18): private keys wrapped under a
// secret key that both tokens have, and how they come to have one. Nothing leaves a token unwrapped.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "native/keys/replication.h"

namespace keystay::keys {

// In the order of preference: CKM_AES_KEY_WRAP_KWP, CKM_AES_KEY_WRAP_PAD. Both are RFC 5649.
[[nodiscard]] std::span<const CK_MECHANISM_TYPE> usual_wrapping_mechanisms() noexcept;

// What a token has under the label of a wrapping key.
struct WrappingKeyState {
  std::size_t keys = 0;       // 1 is right
  pkcs11::Bytes check_value;  // CKA_CHECK_VALUE of the first one; empty if the token shows none
};
// Throws Error.
[[nodiscard]] WrappingKeyState wrapping_key_state(KeySource& source, std::string_view label);

// Gives all of them one new AES-256 key under this label, in the place of what they have there. The first one
// makes it, as a session object; each unwraps it by an RSA key that exists only meanwhile, and keeps it not
// extractable. Its old key goes when all have the new one under an unfinished label. Throws Error that names
// the replica; all have the old keys then, unless the message says otherwise.
void share_wrapping_key(const std::vector<Replica>& replicas, std::string_view label);

}  // namespace keystay::keys
