#include "keystore-tools/audit.h"

#include <chrono>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "keystore-tools/audit_form.h"
#include "keystore-tools/audit_policy.h"
#include "keystore-tools/audit_report.h"
#include "keystore-tools/failure.h"
#include "keystore-tools/file_argument.h"
#include "keystore-tools/terminal_style.h"

namespace keystay::tools {
namespace {

AuditPolicy read_policy(const std::filesystem::path& file) {
  return file.empty() ? AuditPolicy() : AuditPolicy::parse(read_input(file), file);
}

// `list` reads what of the source is to be looked at.
template <typename List>
AuditedToken look_at(keys::KeySource& source, const List& list) {
  if (source.pin_supply() == keys::PinSupply::prompt) source.recover();  // the question comes first
  const Progress progress("Reading " + source.name());
  keys::Listing listing = list();
  return {source.name(), source.info(), std::move(listing), keys::read_key_protection(source)};
}

std::vector<AuditedToken> look_at_all(AliasStore& store) {
  std::vector<AuditedToken> tokens;
  const auto group = store.keys().source().replication();
  if (!group) {
    tokens.push_back(look_at(store.keys().source(), [&] { return store.list(); }));
    return tokens;
  }
  for (const keys::Replica& member : group->replicas) {
    tokens.push_back(
        look_at(*member.source, [&] { return keys::KeyStore(member.source, store.pkix()).list(); }));
  }
  return tokens;
}

}  // namespace

void Audit::run(AliasStore& store) const {
  const AuditPolicy wanted = read_policy(policy);
  const AuditHeading heading{std::chrono::system_clock::now(),
                             policy.empty() ? "the policy that is built in" : policy.string()};
  std::vector<AuditReport> reports;
  std::size_t findings = 0;
  for (const AuditedToken& token : look_at_all(store)) {
    reports.push_back(audit(token, wanted, store.pkix(), heading.time));
    findings += reports.back().findings();
  }
  if (!html.empty()) write_output(html, audit_in_html(heading, reports));
  write_output({}, form == OutputForm::json ? audit_in_json(heading, reports)
                                            : audit_in_text(heading, reports, style_of_output()));
  if (findings == 0) return;
  throw Failure(
      fmt::format("{} finding{} on {}", findings, findings == 1 ? "" : "s", store.keys().source().name()));
}

}  // namespace keystay::tools
