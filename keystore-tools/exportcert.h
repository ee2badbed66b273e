// -exportcert: the certificate of an alias, in DER or PEM.
#pragma once

#include <filesystem>
#include <string>

#include "keystore-tools/opened_store.h"

namespace keystay::tools {

struct ExportCert {
  std::string alias = "mykey";
  bool rfc = false;            // PEM
  std::filesystem::path file;  // empty: standard output

  void run(AliasStore& store) const;
};

}  // namespace keystay::tools
