// -gencert: an alias as a CA issues a certificate for a request.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "keystore-tools/opened_store.h"

namespace keystay::tools {

struct GenCert {
  std::string alias = "mykey";     // the CA
  std::filesystem::path request;   // -infile; empty: standard input
  std::filesystem::path output;    // -outfile; empty: standard output
  bool rfc = false;                // PEM
  std::string distinguished_name;  // empty: that of the request
  std::string signature_algorithm;
  std::string start_date;
  int validity_days = 90;
  std::vector<std::string> extensions;

  // Writes the certificate and those of the CA's chain that are not self-signed, as keytool does.
  void run(AliasStore& store) const;
};

}  // namespace keystay::tools
