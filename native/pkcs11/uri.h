// PKCS #11 URIs (RFC 7512), parsed and written by p11-kit.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "native/pkcs11/cryptoki.h"
#include "native/pkcs11/error.h"
#include "native/pkcs11/pin.h"

namespace keystay::pkcs11 {

// A PIN, if there is one: shared by the copies of a URI, and wiped with the last of them.
class UriPin final {
 public:
  UriPin() = default;
  explicit UriPin(Pin pin) : pin_(std::make_shared<const Pin>(std::move(pin))) {}

  [[nodiscard]] explicit operator bool() const noexcept { return pin_ != nullptr; }
  [[nodiscard]] const Pin& operator*() const noexcept { return *pin_; }
  [[nodiscard]] const Pin* operator->() const noexcept { return pin_.get(); }
  [[nodiscard]] bool operator==(const UriPin& other) const noexcept {
    return pin_ == other.pin_ || (pin_ && other.pin_ && pin_->equals(*other.pin_));
  }

 private:
  std::shared_ptr<const Pin> pin_;
};

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
  UriPin pin_value;  // section 2.4 advises against it; read, never written
  std::string spki;  // "keystay-spki", vendor-specific: base64url DER SubjectPublicKeyInfo

  bool operator==(const Uri&) const = default;
};

inline constexpr std::string_view kPkcs11Uri = "PKCS#11 URI (RFC 7512)";

// Text that is no URI of the kind that is named (client). The message says where, and repeats no value: one
// may be a PIN.
class UriError final : public Error {
 public:
  UriError(std::string_view kind, const std::string& why);
};

// Whether the text has the scheme "pkcs11", in either case (RFC 3986, section 3.1): a URI, right or wrong.
[[nodiscard]] bool is_pkcs11_uri(std::string_view text) noexcept;

// Throws UriError for text that is not exactly RFC 7512, for an attribute with an empty value, and for
// attributes that Keystay does not know: a restriction that is not understood must not be ignored.
[[nodiscard]] Uri parse_uri(std::string_view text);
// The same where a token is named: throws UriError for a URI that names an object on it as well.
[[nodiscard]] Uri parse_token_uri(std::string_view text);
// Without a pin-value. A label that no URI can state (it is not UTF-8) is left out where a serial or an id
// says the same; Error (client) where none does.
[[nodiscard]] std::string format_uri(const Uri& uri);

// The value of the attribute "type" (section 2.3) that means this CKA_CLASS: "private", "cert" and others.
[[nodiscard]] std::string_view type_in_uri(CK_OBJECT_CLASS object_class) noexcept;

}  // namespace keystay::pkcs11
