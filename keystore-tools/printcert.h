// -printcert: certificates of a file, of standard input or of a TLS server, in keytool's form. Needs no
// token.
#pragma once

#include <filesystem>
#include <string>

#include "keystore-tools/output_form.h"
#include "keystore-tools/store_options.h"

namespace keystay::tools {

struct PrintCert {
  std::filesystem::path file;  // PEM, DER or PKCS #7; empty: standard input
  std::string server;          // -sslserver: "example.org:443"; the port may be left out
  std::string jar;             // -jarfile, which is refused
  bool rfc = false;            // PEM
  OutputForm form = OutputForm::text;

  void run(const StoreOptions& options) const;
};

}  // namespace keystay::tools
