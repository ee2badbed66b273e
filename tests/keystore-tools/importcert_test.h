// A token, a CA, and what -list shows of a chain.
#pragma once

#include <string>

#include "tests/keystore-tools/keystay_program.h"

namespace keystay::tools {

class ImportCertTest : public KeystayTest {
 protected:
  // The chain as -list -rfc shows it, the PEM blocks only.
  std::string chain(const std::string& alias) const {
    std::string pem;
    const std::string text = done({"-list", "-rfc", "-alias", alias});
    for (std::size_t begin = text.find("-----BEGIN"); begin != std::string::npos;
         begin = text.find("-----BEGIN", begin + 1)) {
      constexpr std::string_view end = "-----END CERTIFICATE-----\n";
      pem += text.substr(begin, text.find(end, begin) + end.size() - begin);
    }
    return pem;
  }
};

}  // namespace keystay::tools
