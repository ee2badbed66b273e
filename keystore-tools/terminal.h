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
inline constexpr std::string_view kDestroyQuestion = "Destroy it, for good? [no]:  ";
// Everything but "y" and "yes" is no.
[[nodiscard]] Answer ask(std::string_view question);

// Whether a person has given the command, and no script that reads its lines from somewhere: standard input
// is a terminal.
[[nodiscard]] bool is_at_terminal();

}  // namespace keystay::tools
