// -genseckey: a secret key, made in the token.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "keystore-tools/opened_store.h"
#include "keystore-tools/output_form.h"

namespace keystay::tools {

struct GenSecKey {
  std::string alias = "mykey";
  std::string key_algorithm;  // -keyalg: AES, HmacSHA256 …
  unsigned key_size = 0;      // bits; 0: 256 for AES, that of the hash for others
  bool no_prompt = false;
  bool dry_run = false;
  OutputForm form = OutputForm::text;

  void run(AliasStore& store) const;
};

// With -o json: the new key, or null where none was made but only would be.
void report_secret_key(std::string_view command, AliasStore& store, const std::string& alias,
                       const std::optional<keys::SecretKey>& made, OutputForm form);

}  // namespace keystay::tools
