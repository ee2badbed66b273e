// -importcert: a CA's reply for the key of an alias, or a trusted certificate under a new alias.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>

#include "keystore-tools/certificate_reply.h"
#include "keystore-tools/opened_store.h"
#include "keystore-tools/output_form.h"

namespace keystay::tools {

struct ImportCert {
  std::string alias = "mykey";
  std::filesystem::path file;  // empty: standard input
  bool no_prompt = false;
  bool allow_expired = false;
  bool dry_run = false;
  OutputForm form = OutputForm::text;

  void run(AliasStore& store) const;

 private:
  // What a reply was, or would be, installed as.
  struct Installed {
    std::size_t chain_length;
    bool is_for_next = false;  // the alias goes over to the key that is to follow
    std::string kept{};        // under which label the old key stays then
  };
  [[nodiscard]] std::optional<Installed> finish_rotation(AliasStore& store, const keys::Entry& entry,
                                                         const CertificateReply& reply) const;
  Installed import_reply(AliasStore& store, const keys::Entry& entry, const CertificateReply& reply) const;
  void report(AliasStore& store, const Installed& installed) const;
  void import_trusted(AliasStore& store, const CertificateReply& reply) const;
  [[nodiscard]] std::string source() const;
};

}  // namespace keystay::tools
