#include "keystore-tools/retire.h"

#include <algorithm>
#include <cstdio>
#include <utility>
#include <vector>

#include <boost/json.hpp>
#include <fmt/core.h>

#include "keystore-tools/failure.h"
#include "keystore-tools/report.h"
#include "keystore-tools/terminal.h"
#include "native/keys/alias_name.h"
#include "native/keys/alias_state.h"
#include "native/pkcs11/text.h"
#include "native/pkcs11/unicode.h"
#include "native/x509/certificate_text.h"

namespace keystay::tools {
namespace {

using keys::AliasState;

bool is_asked_for(const keys::AliasVersion& version, const std::string& asked) {
  if (version.state == AliasState::next) return asked == "next";
  return version.state == AliasState::kept && (asked == "all" || asked == std::to_string(version.number));
}

std::string versions_of(const keys::Listing& listing, const std::string& alias) {
  std::string text;
  for (const auto& [entry, chain] : listing.entries) {
    const keys::AliasVersion version = keys::version_of(entry.alias);
    if (version.alias != alias || version.state == AliasState::active ||
        version.state == AliasState::deactivated)
      continue;
    text += (text.empty() ? "" : ", ") +
            (version.state == AliasState::next ? std::string("next") : std::to_string(version.number));
  }
  return text.empty() ? "it has none beside the one in use" : "it has: " + text;
}

std::string describe(const keys::Entry& entry) {
  const std::string until =
      entry.leaf ? "certificate valid until " + x509::describe_time(entry.leaf->not_after) : "no certificate";
  return fmt::format("{}: {} with {}, {}", pkcs11::printable(entry.alias),
                     x509::describe_key(entry.key.public_key()), keys::id_alias(entry.key.reference().id()),
                     until);
}

void agree() {
  const Answer answer = ask(kDestroyQuestion);
  if (answer == Answer::nobody) throw Failure("nobody can be asked; write -noprompt");
  if (answer == Answer::no) throw Failure("nothing was destroyed");
}

void report(const Retire& command, AliasStore& store, const std::vector<keys::Entry>& retired) {
  boost::json::array entries;
  for (const keys::Entry& entry : retired)
    entries.push_back({{"alias", json_text(entry.alias)},
                       {"key", x509::describe_key(entry.key.public_key())},
                       {"id", pkcs11::hex(entry.key.reference().id())}});
  boost::json::object report = report_of("retire", mode_of(command.dry_run), store.keys().source());
  report["alias"] = json_text(command.alias);
  report["destroyed"] = std::move(entries);
  write_report(command.form, report);
}

}  // namespace

void Retire::run(AliasStore& store) const {
  if (store.file().content().on_delete == config::DeleteAction::forget)
    throw Failure("the " + store.file().name() +
                  " says delete = \"forget\", and nothing is destroyed through it; leave -keystore out");
  const keys::Listing listing = store.list();
  std::vector<keys::Entry> found;
  for (const auto& [entry, chain] : listing.entries) {
    const keys::AliasVersion of = keys::version_of(entry.alias);
    if (of.alias == alias && is_asked_for(of, which)) found.push_back(entry);
  }
  if (found.empty())
    throw Failure(keys::quoted_alias(alias) + " has no version " + which + "; " +
                  versions_of(listing, alias));
  for (const keys::Entry& entry : found) fmt::print(stderr, "{}\n", describe(entry));
  if (dry_run) return report(*this, store, found);
  if (!no_prompt) agree();
  for (const keys::Entry& entry : found) {
    store.remove(entry.alias);
    fmt::print(stderr, "Destroyed {}\n", pkcs11::printable(entry.alias));
  }
  report(*this, store, found);
}

}  // namespace keystay::tools
