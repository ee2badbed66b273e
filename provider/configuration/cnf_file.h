// The file that openssl.cnf is, read once more: libcrypto tells a provider the values of the names that it
// asks for, but not which other names there are, and a misspelt one must not go unnoticed.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "provider/core.h"

namespace keystay::provider {

struct CnfFile {
  std::string place = "openssl.cnf";  // for messages: file and section
  std::vector<std::string> names;     // in the section of this provider
  std::vector<std::string> doubled;   // of these, each that stands there more than once
};

// No names if the provider was configured by other means than the default file, which OPENSSL_CONF may name.
[[nodiscard]] CnfFile read_cnf_file(const Core& core);

// The texts that an .include of this value brings in: one of a file, several of a directory.
using ReadIncluded = std::function<std::vector<std::string>(std::string_view value)>;

// The names that the lines of `text`, and of what they include, give more than one value in `section`
// (config(5)): libcrypto keeps the last value and tells nobody. An included text begins in the section that
// includes it, and the rest goes on in the one that it ends in.
[[nodiscard]] std::vector<std::string> doubled_names(std::string_view text, std::string_view section,
                                                     const ReadIncluded& read_included = {});

}  // namespace keystay::provider
