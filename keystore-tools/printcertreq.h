// -printcertreq: a certificate request in keytool's form. Needs no token.
#pragma once

#include <filesystem>

#include "keystore-tools/output_form.h"
#include "keystore-tools/store_options.h"

namespace keystay::tools {

struct PrintCertReq {
  std::filesystem::path file;  // PEM or DER; empty: standard input
  OutputForm form = OutputForm::text;

  void run(const StoreOptions& options) const;
};

}  // namespace keystay::tools
