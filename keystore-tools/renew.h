// -renew: a certificate request for the key that an alias has, with the names of the certificate that it has.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "keystore-tools/opened_store.h"
#include "keystore-tools/output_form.h"

namespace keystay::tools {

struct Renew {
  std::string alias;
  std::string signature_algorithm;
  std::vector<std::string> extensions;  // empty: subjectAltName as the certificate has it
  std::filesystem::path file;           // empty: standard output
  OutputForm form = OutputForm::text;

  // Changes nothing on the token. Throws Failure for an alias without a certificate.
  void run(AliasStore& store) const;
};

}  // namespace keystay::tools
