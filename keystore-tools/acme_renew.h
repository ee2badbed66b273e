// -acmerenew: new certificates in the place of those that end soon, from the CAs that issued them (RFC 8555),
// as the renewal file says it.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "keystore-tools/output_form.h"
#include "keystore-tools/store_options.h"

namespace keystay::tools {

struct AcmeRenew {
  std::string alias;                   // empty: all
  bool all = false;                    // says the same
  std::optional<int> days;             // before the end; nothing: 30, or a third of the certificate's time
  bool rotate = false;                 // with a new key
  std::filesystem::path renewal_file;  // empty: the usual one
  bool dry_run = false;
  OutputForm form = OutputForm::text;

  // One that fails does not keep the others from being renewed. Throws Failure in the end if any did.
  void run(const StoreOptions& options) const;
};

}  // namespace keystay::tools
