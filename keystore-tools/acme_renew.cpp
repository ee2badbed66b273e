#include "keystore-tools/acme_renew.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <utility>
#include <vector>

#include <boost/json.hpp>
#include <fmt/core.h>

#include "keystore-tools/acme/certification.h"
#include "keystore-tools/acme/interruption.h"
#include "keystore-tools/acme/issuance.h"
#include "keystore-tools/acme/renewal_file.h"
#include "keystore-tools/acme_report.h"
#include "keystore-tools/failure.h"
#include "keystore-tools/file_argument.h"
#include "keystore-tools/opened_store.h"
#include "keystore-tools/report.h"
#include "native/keys/alias_name.h"
#include "native/keys/alias_state.h"
#include "native/x509/certificate_text.h"

namespace keystay::tools {
namespace {

using Clock = std::chrono::system_clock;

constexpr std::chrono::days kUsualDays{30};
constexpr int kUsualPart = 3;  // of its time

bool is_due(const keys::Certificate& leaf, std::optional<int> days) {
  const auto time = leaf.not_after - leaf.not_before;
  const auto before = days ? Clock::duration(std::chrono::days(*days))
                           : std::min<Clock::duration>(kUsualDays, time / kUsualPart);
  return leaf.not_after - Clock::now() <= before;
}

StoreOptions options_for(const acme::Renewal& renewal, StoreOptions options) {
  options.token = renewal.token;
  options.key_store = renewal.key_store;
  return options;
}

bool is_deactivated(AliasStore& store, const std::string& alias) {
  return store.find(keys::deactivated_label(alias)).has_value();
}

// One certificate of the renewal file.
class OneRenewal final {
 public:
  OneRenewal(const AcmeRenew& command, const acme::Renewal& renewal, const StoreOptions& options)
      : command_(command), renewal_(renewal), options_(options_for(renewal, options)) {}

  AcmeOutcome run() {
    OpenedStore opened(options_, MissingKeyStore::refused);
    AliasStore& store = opened.aliases();
    source_ = store.keys().source().name();
    const auto entry = store.find(renewal_.alias);
    if (!entry && is_deactivated(store, renewal_.alias))
      return outcome(AcmeResult::skipped, std::nullopt, "it is deactivated");
    if (!entry)
      throw Failure("there is no such key any more; take its [[certificate]] out of the renewal file");
    if (entry->leaf && !is_due(*entry->leaf, command_.days))
      return outcome(AcmeResult::not_due, *entry->leaf);
    if (command_.dry_run) return outcome(AcmeResult::would_be_made, entry->leaf);
    return renew(store, *entry);
  }

 private:
  AcmeOutcome renew(AliasStore& store, const keys::Entry& entry) {
    store.require_named("renew the certificate of " + keys::quoted_alias(entry.alias));
    acme::require_usable(renewal_.acme);
    const acme::CompleteCertificate wanted = acme::complete(renewal_.wanted, entry.leaf);
    acme::Certification certification(store, renewal_.acme, secret_variables(options_));
    certification.prepare(wanted, {});
    const acme::Issued issued = command_.rotate ? acme::issue_by_rotation(store, certification, entry, wanted)
                                                : acme::issue_for_key(store, certification, entry, wanted);
    run_deploy_hook(renewal_.deploy_hook, renewal_.alias, options_);
    return outcome(command_.rotate ? AcmeResult::rotated : AcmeResult::renewed, issued.leaf);
  }

  [[nodiscard]] AcmeOutcome outcome(AcmeResult result, const std::optional<keys::Certificate>& leaf,
                                    const char* reason = "") const {
    AcmeOutcome outcome{
        .alias = renewal_.alias, .result = result, .source = source_, .not_after = {}, .reason = reason};
    if (leaf) outcome.not_after = leaf->not_after;
    return outcome;
  }

  const AcmeRenew& command_;
  const acme::Renewal& renewal_;
  StoreOptions options_;
  std::string source_;
};

bool is_asked(const acme::Renewal& renewal, const AcmeRenew& command, const StoreOptions& options) {
  return (command.alias.empty() || renewal.alias == command.alias) &&
         (options.token.empty() || renewal.token == options.token) &&
         (options.key_store.empty() || renewal.key_store == std::filesystem::absolute(options.key_store));
}

std::vector<acme::Renewal> asked(const AcmeRenew& command, const StoreOptions& options,
                                 const std::filesystem::path& file) {
  std::vector<acme::Renewal> renewals = acme::read_renewals(file);
  std::erase_if(renewals, [&](const acme::Renewal& renewal) { return !is_asked(renewal, command, options); });
  if (renewals.empty() && !command.alias.empty()) {
    throw Failure(keys::quoted_alias(command.alias) + " is not in " + file.string() +
                  "; keystay acme issue records how a certificate is renewed");
  }
  return renewals;
}

// In one line, where nothing else is to be told.
void report_nothing_due(const std::vector<AcmeOutcome>& outcomes, const std::filesystem::path& file) {
  if (outcomes.empty())
    return write_output({}, fmt::format("Nothing is due: {} names no certificate\n", file.string()));
  const auto first = std::ranges::min_element(outcomes, {}, &AcmeOutcome::not_after);
  write_output(
      {}, fmt::format("Nothing is due: of {} certificate{}, \"{}\" ends first, on {}\n", outcomes.size(),
                      outcomes.size() == 1 ? "" : "s", first->alias, x509::describe_time(*first->not_after)));
}

}  // namespace

void AcmeRenew::run(const StoreOptions& options) const {
  const std::filesystem::path file = renewal_file_of(renewal_file, options);
  std::vector<AcmeOutcome> outcomes;
  std::size_t failures = 0;
  const acme::Interruption interruption;
  for (const acme::Renewal& renewal : asked(*this, options, file)) {
    try {
      acme::Interruption::check();
      outcomes.push_back(OneRenewal(*this, renewal, options).run());
    } catch (const std::exception& error) {
      ++failures;
      outcomes.push_back(
          {.alias = renewal.alias, .result = AcmeResult::failed, .source = {}, .reason = error.what()});
      fmt::print(stderr, "keystay: {}: {}\n", keys::quoted_alias(renewal.alias), error.what());
    }
  }
  const bool is_idle = std::ranges::all_of(
      outcomes, [](const AcmeOutcome& outcome) { return outcome.result == AcmeResult::not_due; });
  if (is_idle && form == OutputForm::text) return report_nothing_due(outcomes, file);
  write_outcomes(report_of("acmerenew", mode_of(dry_run)), outcomes, form);
  if (failures > 0)
    throw Failure(fmt::format("{} of {} certificate{} failed to be renewed", failures, outcomes.size(),
                              outcomes.size() == 1 ? "" : "s"));
}

}  // namespace keystay::tools
