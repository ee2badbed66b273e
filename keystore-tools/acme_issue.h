// -acmeissue: a certificate for an alias from a CA that speaks ACME (RFC 8555). The key is made for it on the
// token, if there is none, and stays there.
#pragma once

#include <filesystem>
#include <string>

#include "keystore-tools/acme/account.h"
#include "keystore-tools/acme/options.h"
#include "keystore-tools/output_form.h"
#include "keystore-tools/store_options.h"

namespace keystay::tools {

struct AcmeIssue {
  std::string alias;
  acme::AcmeOptions acme;
  acme::AccountOptions account;
  acme::WantedCertificate wanted;
  std::string key_algorithm;  // of the key that is made; empty: EC
  unsigned key_size = 0;
  std::string group_name;
  std::filesystem::path deploy_hook;   // empty: none
  std::filesystem::path renewal_file;  // empty: the usual one
  bool no_prompt = false;
  bool dry_run = false;
  OutputForm form = OutputForm::text;

  // Records how the certificate is renewed. Throws Failure; then the alias is as it was.
  void run(const StoreOptions& options) const;
};

}  // namespace keystay::tools
