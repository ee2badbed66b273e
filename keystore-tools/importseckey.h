// -importseckey: brings a secret key that was made elsewhere to the token, from a file or as a person types
// it.
#pragma once

#include <filesystem>
#include <string>

#include "keystore-tools/opened_store.h"
#include "keystore-tools/output_form.h"

namespace keystay::tools {

enum class KeyText { bytes, hexadecimal };

struct ImportSecKey {
  std::string alias = "mykey";
  std::string key_algorithm;      // -keyalg; the size is that of the key
  std::filesystem::path file;     // -file; empty: it is asked for, in hexadecimal
  KeyText form = KeyText::bytes;  // -hex: of the file

  bool dry_run = false;
  OutputForm output = OutputForm::text;

  // By the import policy of the token, as -importkeystore.
  void run(const StoreOptions& options) const;
};

}  // namespace keystay::tools
