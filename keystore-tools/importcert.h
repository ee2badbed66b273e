// -importcert: a CA's reply for the key of an alias, or a trusted certificate under a new alias.
#pragma once

#include <filesystem>
#include <string>

#include "keystore-tools/opened_store.h"

namespace keystay::tools {

struct ImportCert {
  std::string alias = "mykey";
  std::filesystem::path file;  // empty: standard input
  bool no_prompt = false;
  bool allow_expired = false;

  void run(AliasStore& store) const;

 private:
  [[nodiscard]] bool finish_rotation(AliasStore& store, const keys::Entry& entry,
                                     const std::vector<keys::Certificate>& certificates) const;
  void import_reply(AliasStore& store, const keys::Entry& entry,
                    std::vector<keys::Certificate> certificates) const;
  void import_trusted(AliasStore& store, const std::vector<keys::Certificate>& certificates) const;
  void refuse_outside_validity(const keys::Certificate& certificate) const;
  [[nodiscard]] std::string source() const;
};

}  // namespace keystay::tools
