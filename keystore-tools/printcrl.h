// -printcrl: lists of revoked certificates in keytool's form, and which alias has signed them.
#pragma once

#include <filesystem>

#include "keystore-tools/output_form.h"
#include "keystore-tools/store_options.h"

namespace keystay::tools {

struct PrintCrl {
  std::filesystem::path file;  // PEM or DER; empty: standard input
  bool rfc = false;            // PEM
  OutputForm form = OutputForm::text;

  // Asks a token for the signer only if -keystore or -token names one.
  void run(const StoreOptions& options) const;
};

}  // namespace keystay::tools
