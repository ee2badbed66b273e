// -exportref: the PEM file that servers read in the place of a private key.
#pragma once

#include <filesystem>
#include <string>

#include "keystore-tools/opened_store.h"

namespace keystay::tools {

struct ExportRef {
  std::string alias = "mykey";
  std::filesystem::path file;  // empty: standard output

  void run(AliasStore& store) const;
};

}  // namespace keystay::tools
