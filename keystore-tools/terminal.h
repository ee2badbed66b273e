// Questions to the person at the terminal.
#pragma once

#include <string_view>

#include "native/pkcs11/pin.h"

namespace keystay::tools {

// Asks on the controlling terminal, without echo, whatever stdin and stdout are. Throws pkcs11::Error
// (authentication) if there is no terminal or no answer.
[[nodiscard]] pkcs11::Pin ask_pin(std::string_view question);

enum class Answer {
  yes,
  no,
  nobody,  // there is no terminal
};
// Everything but "y" and "yes" is no.
[[nodiscard]] Answer ask(std::string_view question);

}  // namespace keystay::tools
