// PKCS #11 URIs (RFC 7512), parsed and written by p11-kit.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "native/pkcs11/cryptoki.h"

namespace keystay::pkcs11 {

// The attributes of a URI that Keystay understands. Empty means "any".
struct Uri {
  // Path attributes: the token and the object.
  std::string token;  // CK_TOKEN_INFO label
  std::string serial;
  std::string manufacturer;
  std::string model;
  std::string object;  // CKA_LABEL
  Bytes id;            // CKA_ID
  std::optional<CK_OBJECT_CLASS> type;
  // Query attributes.
  std::string module_path;
  std::string pin_source;
  std::string pin_value;  // section 2.4 advises against it; read, never written
  std::string spki;       // "keystay-spki", vendor-specific: base64url DER SubjectPublicKeyInfo

  bool operator==(const Uri&) const = default;
};

// Throws Error (client) for text that is no PKCS #11 URI and for attributes that Keystay does not know: a
// restriction that is not understood must not be ignored.
[[nodiscard]] Uri parse_uri(std::string_view text);
[[nodiscard]] std::string format_uri(const Uri& uri);

}  // namespace keystay::pkcs11
