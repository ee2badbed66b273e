#include "keystore-tools/activation.h"

#include <cstdio>
#include <optional>

#include <boost/json.hpp>
#include <fmt/core.h>

#include "keystore-tools/failure.h"
#include "keystore-tools/report.h"
#include "native/keys/alias_name.h"
#include "native/keys/alias_state.h"

namespace keystay::tools {
namespace {

void report(const char* command, AliasStore& store, const std::string& alias, bool dry_run, OutputForm form) {
  boost::json::object report = report_of(command, mode_of(dry_run), store.keys().source());
  report["alias"] = json_text(alias);
  write_report(form, report);
}

void require_plain_name(const std::string& alias) {
  if (!keys::is_state_label(alias)) return;
  throw Failure("\"" + alias + "\" is the name of a state of an alias; write the alias alone: " +
                keys::version_of(alias).alias);
}

}  // namespace

void Deactivate::run(AliasStore& store) const {
  require_plain_name(alias);
  const keys::Entry entry = store.require_key(alias);
  if (entry.key.reference().label().empty())
    throw Failure(keys::quoted_alias(alias) +
                  " has no label of its own to say so by; give it one with keystay -changealias");
  if (!dry_run) store.rename(alias, keys::deactivated_label(entry.alias));
  fmt::print(stderr,
             "{} {} on {}; no program loads it, and those that use it stop at their next look (key-check)\n",
             keys::quoted_alias(entry.alias), dry_run ? "would be deactivated" : "is deactivated",
             store.keys().source().name());
  report("deactivate", store, entry.alias, dry_run, form);
}

void Activate::run(AliasStore& store) const {
  require_plain_name(alias);
  const std::string deactivated = keys::deactivated_label(alias);
  const std::optional<keys::Entry> entry = store.find(deactivated);
  if (!entry) {
    static_cast<void>(store.require_key(alias));  // throws where there is none
    throw Failure(keys::quoted_alias(alias) + " is active");
  }
  if (!dry_run) store.rename(entry->alias, keys::version_of(entry->alias).alias);
  fmt::print(stderr, "{} {} on {}\n", keys::quoted_alias(alias), dry_run ? "would be active" : "is active",
             store.keys().source().name());
  report("activate", store, alias, dry_run, form);
}

}  // namespace keystay::tools
