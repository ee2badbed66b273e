// The `pin` key of keystay.toml and the pin-source of a PKCS #11 URI (RFC 7512, section 2.4).
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "native/pkcs11/pin.h"

namespace keystay::config {

// Asks a person for the PIN of the token with this label. Throws pkcs11::Error (authentication) if nobody
// answers.
using PinPrompt = std::function<pkcs11::Pin(std::string_view token_label)>;

// For messages: what to write where a source is expected.
inline constexpr std::string_view kPinSourceForms =
    "\"file:/path\", \"env:NAME\", \"credential:NAME\" or \"prompt\"";

// Whether pin_reader accepts the source; nothing is read.
[[nodiscard]] bool is_pin_source(std::string_view source);

// A reader for `source`: "file:/path", "file:///path", a path, "env:NAME", "credential:NAME" (systemd's
// CREDENTIALS_DIRECTORY), "prompt", or "" (a token without login: an empty reader). One newline at the end of
// a file is not part of the PIN. A file that others may read is refused. Throws config::Error for a source of
// another form.
[[nodiscard]] pkcs11::PinReader pin_reader(std::string_view source, std::string token_label,
                                           PinPrompt prompt);

// The password of a file, from the same places, but that nobody is asked for it.
inline constexpr std::string_view kPasswordSourceForms =
    "\"file:/path\", \"env:NAME\" or \"credential:NAME\"";
[[nodiscard]] bool is_password_source(std::string_view source);
// Reads it now; an empty one for "". `file` is for messages. Throws as a reader of PINs.
[[nodiscard]] pkcs11::Pin read_password(std::string_view source, const std::string& file);

}  // namespace keystay::config
