// What the commands of ACME say they have done: lines for people, or one line of JSON.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/fwd.hpp>

#include "keystore-tools/acme/issuance.h"
#include "keystore-tools/acme/renewal_file.h"
#include "keystore-tools/output_form.h"
#include "keystore-tools/store_options.h"

namespace keystay::tools {

enum class AcmeResult { issued, renewed, rotated, not_due, skipped, would_be_made, failed };

struct AcmeOutcome {
  std::string alias;
  AcmeResult result;
  std::string source{};  // `token "web"`; empty: it was not opened
  std::optional<std::chrono::system_clock::time_point> not_after{};  // of the certificate that it has now
  std::string reason{};                                              // of a failure or a skip
};

// On standard output; `report` has what each report begins with.
void write_outcomes(boost::json::object report, const std::vector<AcmeOutcome>& outcomes, OutputForm form);

// The variables that PINs are read from: by these options, or by the configuration.
[[nodiscard]] std::vector<std::string> secret_variables(const StoreOptions& options);

// The file of the option, or the usual one.
[[nodiscard]] std::filesystem::path renewal_file_of(const std::filesystem::path& option,
                                                    const StoreOptions& options);

// Calls the hook, if there is one, with the alias, after it has its new certificate. Throws Failure.
void run_deploy_hook(const std::filesystem::path& program, const std::string& alias,
                     const StoreOptions& options);

}  // namespace keystay::tools
