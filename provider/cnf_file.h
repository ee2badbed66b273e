// The file that openssl.cnf is, read once more: libcrypto tells a provider the values of the names that it
// asks for, but not which other names there are, and a misspelt one must not go unnoticed.
#pragma once

#include <string>
#include <vector>

#include "provider/core.h"

namespace keystay::provider {

struct CnfFile {
  std::string place = "openssl.cnf";  // for messages: file and section
  std::vector<std::string> names;     // in the section of this provider
};

// No names if the provider was configured by other means than the default file, which OPENSSL_CONF may name.
[[nodiscard]] CnfFile read_cnf_file(const Core& core);

}  // namespace keystay::provider
