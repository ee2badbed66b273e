// -rotate: a new key for an alias. The alias goes over to it when it has its certificate, and its old key is
// kept until -retire destroys it.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "keystore-tools/opened_store.h"
#include "keystore-tools/output_form.h"
#include "native/keys/key_spec.h"

namespace keystay::tools {

struct Rotate {
  std::string alias;
  std::string key_algorithm;  // empty: a key as the alias has one
  unsigned key_size = 0;
  std::string group_name;
  std::string signature_algorithm;
  std::string distinguished_name;       // empty: that of the certificate
  std::vector<std::string> extensions;  // empty: subjectAltName as the certificate has it
  std::filesystem::path file;           // of the request; empty: standard output
  bool self_signed = false;             // in one go, without a CA
  int validity_days = 90;               // of that certificate
  bool dry_run = false;
  OutputForm form = OutputForm::text;

  void run(AliasStore& store) const;
};

// What a key of the same type and size is made by. Throws Failure if there can be none.
[[nodiscard]] keys::KeySpec spec_like(const pkcs11::PublicKey& key);

// Says on standard error that the alias has gone over to the next key, and under which label the old one
// stays.
void report_switched(const keys::Entry& current, const keys::Entry& next, const std::string& kept);

}  // namespace keystay::tools
