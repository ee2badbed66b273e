// -audit: whether the keys of a token, and their certificates, are as a policy wants them. It changes
// nothing.
#pragma once

#include <filesystem>
#include <string>

#include "keystore-tools/opened_store.h"
#include "keystore-tools/output_form.h"

namespace keystay::tools {

struct Audit {
  std::filesystem::path policy;  // empty: what AuditPolicy has by itself
  std::filesystem::path html;    // where a page for people goes; empty: none
  OutputForm form = OutputForm::text;

  // Two enumerations of the token; of a group, of each member. Throws Failure if there is any finding.
  void run(AliasStore& store) const;
};

}  // namespace keystay::tools
