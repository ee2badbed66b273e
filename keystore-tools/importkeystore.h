// -importkeystore: brings private keys that were made in software to the token, with their chains, from a
// file of PKCS #12, PEM or PKCS #8; and the trusted certificates of such a file.
#pragma once

#include <filesystem>
#include <string>

#include "keystore-tools/opened_store.h"
#include "keystore-tools/output_form.h"

namespace keystay::tools {

struct ImportKeyStore {
  std::filesystem::path source;        // -srckeystore
  std::string source_type;             // -srcstoretype; empty: by what the file is
  std::filesystem::path certificates;  // -srccerts: more certificates; empty: those of the source
  std::string source_alias;            // -srcalias; empty: all entries
  std::string alias;                   // -destalias; empty: the name in the file
  std::string destination_type;        // -deststoretype; empty: Keystay
  std::string password;                // -srcstorepass:file and :env, as config::read_password takes it
  std::string key_password;            // -srckeypass:file and :env
  bool no_prompt = false;
  bool dry_run = false;
  OutputForm form = OutputForm::text;

  // What can be wrong with the file, and with a key beside its certificate, is found before anything is
  // written.
  void run(const StoreOptions& options) const;
};

}  // namespace keystay::tools
