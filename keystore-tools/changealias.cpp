#include "keystore-tools/changealias.h"

#include <cstdio>

#include <boost/json.hpp>
#include <fmt/core.h>

#include "keystore-tools/failure.h"
#include "keystore-tools/report.h"
#include "native/keys/alias_name.h"
#include "native/pkcs11/unicode.h"

namespace keystay::tools {

void ChangeAlias::run(AliasStore& store) const {
  argument([&] { keys::require_alias_name(new_alias); });
  const std::string before = dry_run ? store.require_renamable(alias, new_alias) : alias;
  if (!dry_run) store.rename(alias, new_alias);
  if (dry_run)
    fmt::print(stderr, "{} would be \"{}\" on {}\n", keys::quoted_alias(before), pkcs11::printable(new_alias),
               store.keys().source().name());
  boost::json::object report = report_of("changealias", mode_of(dry_run), store.keys().source());
  report["alias"] = json_text(before);
  report["new-alias"] = json_text(new_alias);
  write_report(form, report);
}

}  // namespace keystay::tools
