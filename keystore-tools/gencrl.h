// -gencrl: an alias as a CA signs a list of the certificates that it has revoked.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "keystore-tools/opened_store.h"

namespace keystay::tools {

struct GenCrl {
  std::string alias = "mykey";   // the CA
  std::vector<std::string> ids;  // -id: serial numbers, with reasons
  std::filesystem::path file;    // empty: standard output
  bool rfc = false;              // PEM
  std::string signature_algorithm;
  std::string start_date;
  int validity_days = 90;  // until the next list

  void run(AliasStore& store) const;
};

}  // namespace keystay::tools
