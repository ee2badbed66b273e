// -showinfo -tls: the TLS versions and cipher suites that OpenSSL offers here. Needs no token.
#pragma once

#include "keystore-tools/output_form.h"
#include "keystore-tools/store_options.h"

namespace keystay::tools {

struct ShowInfo {
  bool tls = false;
  OutputForm form = OutputForm::text;

  void run(const StoreOptions& options) const;
};

}  // namespace keystay::tools
