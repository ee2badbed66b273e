#include "keystore-tools/genseckey.h"

#include <cstdio>

#include <boost/json.hpp>
#include <fmt/core.h>

#include "keystore-tools/entry_json.h"
#include "keystore-tools/failure.h"
#include "keystore-tools/replication_consent.h"
#include "keystore-tools/report.h"
#include "native/keys/alias_name.h"
#include "native/pkcs11/unicode.h"

namespace keystay::tools {

void report_secret_key(std::string_view command, AliasStore& store, const std::string& alias,
                       const std::optional<keys::SecretKey>& made, OutputForm form) {
  boost::json::object report = report_of(command, mode_of(!made), store.keys().source());
  report["alias"] = json_text(alias);
  report["entry"] = nullptr;
  if (made) report["entry"] = entry_in_json(*made);
  write_report(form, report);
}

void GenSecKey::run(AliasStore& store) const {
  argument([&] { keys::require_alias_name(alias); });
  const keys::SecretKeySpec spec = argument([&] { return keys::secret_key_spec(key_algorithm, key_size); });
  if (dry_run) {
    store.keys().require_unused(alias);
    fmt::print(stderr, "Alias \"{}\" would be made on {}\n", pkcs11::printable(alias),
               store.keys().source().name());
    return report_secret_key("genseckey", store, alias, std::nullopt, form);
  }
  if (!no_prompt) agree_to_replication(store.keys().source());
  const keys::SecretKey key = store.generate(alias, spec);
  fmt::print(stderr, "Generated alias \"{}\" on {}: {}\n", pkcs11::printable(key.alias),
             store.keys().source().name(), keys::describe_key(key));
  report_secret_key("genseckey", store, key.alias, key, form);
}

}  // namespace keystay::tools
