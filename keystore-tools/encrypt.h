// -encrypt and -decrypt: files under a secret key of a token, in CMS (native/x509/auth_enveloped_data.h).
#pragma once

#include <filesystem>
#include <string>

#include "keystore-tools/opened_store.h"

namespace keystay::tools {

struct Encrypt {
  std::string alias;
  std::filesystem::path input;   // empty: standard input
  std::filesystem::path output;  // empty: standard output

  void run(AliasStore& store) const;
};

struct Decrypt {
  std::string alias;
  std::filesystem::path input;  // empty: standard input
  std::filesystem::path output;

  // Nothing has the name of the output unless the content is whole and nobody's but the one that was
  // encrypted.
  void run(AliasStore& store) const;
};

}  // namespace keystay::tools
