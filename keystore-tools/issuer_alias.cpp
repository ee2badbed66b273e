#include "keystore-tools/issuer_alias.h"

#include <cstdio>

#include <fmt/core.h>

#include "keystore-tools/failure.h"
#include "keystore-tools/start_date.h"
#include "native/keys/alias_name.h"

namespace keystay::tools {

keys::Entry require_issuer(AliasStore& store, const std::string& alias) {
  keys::Entry entry = store.require_key(alias);
  if (!entry.leaf) {
    throw Failure(keys::quoted_alias(entry.alias) +
                  " has no certificate, whose name what it signs could bear; import one with -importcert");
  }
  if (!entry.leaf->is_ca) {
    fmt::print(stderr,
               "keystay: note: the certificate of {} is no CA's (basicConstraints), so that clients will "
               "refuse what "
               "it signs\n",
               keys::quoted_alias(entry.alias));
  }
  return entry;
}

x509::Validity validity(const std::string& start, int days) {
  const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  const x509::Validity result{.not_before = start_date(start, now), .length = std::chrono::days(days)};
  using namespace std::chrono;
  if (result.not_before + result.length >= sys_days(10000y / 1 / 1)) {
    throw UsageError("-validity " + std::to_string(days) +
                     ": the certificate would end after the year 9999, which X.509 cannot write");
  }
  return result;
}

}  // namespace keystay::tools
