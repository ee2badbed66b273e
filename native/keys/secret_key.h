// A secret key of an alias (CKO_SECRET_KEY): what is to come to a token, in keytool's words, and what is
// there.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "native/pkcs11/key_reference.h"
#include "native/pkcs11/mechanism.h"

namespace keystay::keys {

// Sizes in bits.
struct AesSpec {
  unsigned size;  // 128, 192 or 256
};
struct HmacSpec {
  pkcs11::Hash hash;
  unsigned size;  // whole bytes; 80 to 4096
};
using SecretKeySpec = std::variant<AesSpec, HmacSpec>;

// From -keyalg (AES, HmacSHA1, HmacSHA224, HmacSHA256, HmacSHA384, HmacSHA512, in any letter case) and
// -keysize (0: 256 for AES, that of the hash for others). Throws pkcs11::Error (client) that names the
// accepted values.
[[nodiscard]] SecretKeySpec secret_key_spec(std::string_view algorithm, unsigned size);

// A secret key that was made elsewhere. `value` has the size of the specification, and is borrowed: who owns
// the bytes wipes them.
struct SoftwareSecretKey {
  SecretKeySpec spec;
  pkcs11::ByteView value;
};

// A snapshot, as Entry is: an alias is one or the other.
struct SecretKey {
  std::string alias;                                    // as of Entry
  pkcs11::KeyReference reference;                       // without a public key
  std::optional<unsigned> size;                         // bits; nothing if the token does not say it
  std::vector<CK_MECHANISM_TYPE> allowed_mechanisms{};  // as of Entry
  std::optional<std::string> shared_name{};             // as of Entry

  [[nodiscard]] const std::string& name() const { return shared_name ? *shared_name : alias; }
};

// As the JDK calls the algorithm: "AES", "HmacSHA256"; "Generic" for a key that makes MACs by any hash; the
// name in PKCS #11 of a type that Java does not know.
[[nodiscard]] std::string algorithm_of(const SecretKey& key);
// The hash of its MACs; nothing for a key that leaves it open, or makes none.
[[nodiscard]] std::optional<pkcs11::Hash> mac_hash_of(const SecretKey& key);
// "256-bit AES key".
[[nodiscard]] std::string describe_key(const SecretKey& key);

}  // namespace keystay::keys
