// -mac and -verify-mac: the HMAC of a file (RFC 2104) by a secret key of a token.
#pragma once

#include <filesystem>
#include <string>

#include "keystore-tools/opened_store.h"
#include "keystore-tools/output_form.h"

namespace keystay::tools {

struct Mac {
  std::string alias;
  std::string algorithm;         // -macalg: HmacSHA256 …; empty: the one of the key
  std::filesystem::path input;   // empty: standard input
  std::filesystem::path output;  // empty: standard output

  // One line, in hexadecimal.
  void run(AliasStore& store) const;
};

struct VerifyMac {
  std::string alias;
  std::string algorithm;
  std::filesystem::path input;
  std::string mac;             // in hexadecimal
  std::filesystem::path file;  // with the MAC, if `mac` is empty
  OutputForm form = OutputForm::text;

  // Throws Failure if it is another.
  void run(AliasStore& store) const;
};

}  // namespace keystay::tools
