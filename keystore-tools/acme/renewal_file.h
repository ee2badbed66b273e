// Which certificates `keystay acme renew` renews, and how: a TOML file beside the configuration, which
// `keystay acme issue` writes. No secret is in it.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "keystore-tools/acme/options.h"

namespace keystay::tools::acme {

// One [[certificate]].
struct Renewal {
  std::string alias;
  std::string token;                // empty: the default one
  std::filesystem::path key_store;  // key store file; empty: none
  AcmeOptions acme;
  WantedCertificate wanted;
  std::filesystem::path deploy_hook;  // empty: none

  bool operator==(const Renewal&) const = default;
};

// "acme.toml" in the directory of the configuration file.
[[nodiscard]] std::filesystem::path default_renewal_file(const std::filesystem::path& configuration);

// Both throw config::Error, which names file, line and key.
[[nodiscard]] std::vector<Renewal> parse_renewals(std::string_view toml, const std::filesystem::path& file);
// Throws Failure, too, if it cannot be read.
[[nodiscard]] std::vector<Renewal> read_renewals(const std::filesystem::path& file);

[[nodiscard]] std::string format_renewals(const std::vector<Renewal>& renewals);

// Writes it into the file, in the place of the one for the same alias of the same token. Throws Failure.
void record_renewal(const std::filesystem::path& file, const Renewal& renewal);

}  // namespace keystay::tools::acme
