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

// Of a key pair or a secret key.
std::string label_of(AliasStore& store, const std::string& alias) {
  const keys::Named named = store.require(alias);
  if (const auto* secret = std::get_if<keys::SecretKey>(&named)) return secret->reference.label();
  return store.require_key(alias).key.reference().label();  // throws where it is a certificate
}

}  // namespace

void Deactivate::run(AliasStore& store) const {
  require_plain_name(alias);
  const std::string label = label_of(store, alias);
  const std::string name = keys::alias_of(store.require(alias));
  if (label.empty())
    throw Failure(keys::quoted_alias(alias) +
                  " has no label of its own to say so by; give it one with keystay -changealias");
  if (!dry_run) store.rename(alias, keys::deactivated_label(name));
  fmt::print(stderr,
             "{} {} on {}; no program loads it, and those that use it stop at their next look (key-check)\n",
             keys::quoted_alias(name), dry_run ? "would be deactivated" : "is deactivated",
             store.keys().source().name());
  report("deactivate", store, name, dry_run, form);
}

void Activate::run(AliasStore& store) const {
  require_plain_name(alias);
  const std::optional<keys::Named> found = store.resolve(keys::deactivated_label(alias));
  if (!found) {
    static_cast<void>(label_of(store, alias));  // throws where there is none
    throw Failure(keys::quoted_alias(alias) + " is active");
  }
  const std::string name = keys::alias_of(*found);
  if (!dry_run) store.rename(name, keys::version_of(name).alias);
  fmt::print(stderr, "{} {} on {}\n", keys::quoted_alias(alias), dry_run ? "would be active" : "is active",
             store.keys().source().name());
  report("activate", store, alias, dry_run, form);
}

}  // namespace keystay::tools
