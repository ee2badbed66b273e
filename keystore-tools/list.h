// -list: the aliases, in keytool's form.
#pragma once

#include <string>

#include "keystore-tools/opened_store.h"
#include "keystore-tools/output_form.h"

namespace keystay::tools {

enum class ListForm {
  brief,    // a line or two for each alias
  verbose,  // -v: the chains in words
  rfc,      // -rfc: the chains as PEM
};

struct List {
  std::string alias;  // empty: all
  ListForm form = ListForm::brief;
  OutputForm output = OutputForm::text;

  void run(AliasStore& store) const;

 private:
  [[nodiscard]] std::string in_json(AliasStore& store) const;
};

}  // namespace keystay::tools
