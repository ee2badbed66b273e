// -genkeypair: makes a key pair on the token and, given a name, a self-signed certificate for it.
#pragma once

#include <string>
#include <vector>

#include "keystore-tools/opened_store.h"
#include "keystore-tools/output_form.h"

namespace keystay::tools {

struct GenKeyPair {
  std::string alias = "mykey";
  std::string key_algorithm;
  unsigned key_size = 0;
  std::string group_name;
  std::string signature_algorithm;
  std::string distinguished_name;  // empty: only the key pair
  std::string start_date;
  int validity_days = 90;
  std::vector<std::string> extensions;
  std::string signer;  // alias that signs the certificate; empty: the new key itself
  bool no_prompt = false;
  bool dry_run = false;
  OutputForm form = OutputForm::text;

  // Asks first where the key is to leave the token that makes it, wrapped, for the other members of a group.
  void run(AliasStore& store) const;
};

}  // namespace keystay::tools
