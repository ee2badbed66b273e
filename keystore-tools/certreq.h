// -certreq: a certificate request (PKCS #10) for the key of an alias, signed by it.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "keystore-tools/opened_store.h"
#include "keystore-tools/output_form.h"

namespace keystay::tools {

struct CertReq {
  std::string alias = "mykey";
  std::string signature_algorithm;
  std::string distinguished_name;  // empty: that of the certificate
  std::vector<std::string> extensions;
  std::filesystem::path file;  // empty: standard output
  OutputForm form = OutputForm::text;

  void run(AliasStore& store) const;
};

}  // namespace keystay::tools
