// Command lines in keytool's form (`-genkeypair -alias httpd`) put into the GNU form (`genkeypair --alias
// httpd`), which is understood as it is.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "native/pkcs11/pin.h"

namespace keystay::tools {

struct GnuForm {
  std::vector<std::string> arguments;  // the command first, options in small letters, as keytool ignores case
  std::optional<pkcs11::Pin> pin;      // of a plain -storepass, which is not among the arguments
  // Likewise of a plain -srcstorepass and -srckeypass, by these names.
  std::map<std::string, pkcs11::Pin, std::less<>> passwords;

  bool is_keytools = false;  // the first argument is no bare word and has one dash
  // How each option stands on the command line, "-Storepass:file", by its name in the arguments.
  std::map<std::string, std::string, std::less<>> written;
};

// Takes the arguments after the program's name. What follows an option that `takes_value` (its name in small
// letters, without dashes) is its value whatever it looks like, and joined to it: "--alias=-Dash". The value
// of -storepass, -keypass and their like is overwritten where it stands, so that it does not stay in the
// process table. Throws UsageError for a value that is missing or empty, and for a second -storepass.
[[nodiscard]] GnuForm to_gnu_form(std::span<char*> arguments,
                                  const std::function<bool(std::string_view)>& takes_value);

// A message with the options in it, "--storepass-file", as the user writes them: as they stand on the command
// line, and those that do not in its form, "-storepass:file".
[[nodiscard]] std::string as_written(std::string_view message, const GnuForm& form);

}  // namespace keystay::tools
