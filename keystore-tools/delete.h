// -delete: destroys the key pair and certificate of an alias, or a trusted certificate.
#pragma once

#include <string>

#include "keystore-tools/opened_store.h"
#include "keystore-tools/output_form.h"

namespace keystay::tools {

struct Delete {
  std::string alias;
  bool dry_run = false;
  bool no_prompt = false;
  OutputForm form = OutputForm::text;

  // Shows it and asks first where a person is at the terminal. Throws Failure.
  void run(AliasStore& store) const;
};

}  // namespace keystay::tools
