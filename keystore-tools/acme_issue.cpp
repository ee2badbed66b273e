#include "keystore-tools/acme_issue.h"

#include <cstdio>
#include <optional>

#include <boost/json.hpp>
#include <fmt/core.h>

#include "keystore-tools/acme/certification.h"
#include "keystore-tools/acme/hook.h"
#include "keystore-tools/acme/identifiers.h"
#include "keystore-tools/acme/interruption.h"
#include "keystore-tools/acme/issuance.h"
#include "keystore-tools/acme/renewal_file.h"
#include "keystore-tools/acme_report.h"
#include "keystore-tools/failure.h"
#include "keystore-tools/opened_store.h"
#include "keystore-tools/replication_consent.h"
#include "keystore-tools/report.h"
#include "native/keys/alias_name.h"
#include "native/pkcs11/uri.h"
#include "native/x509/extension_list.h"
#include "native/x509/signature_algorithm.h"

namespace keystay::tools {
namespace {

// Of the key that is made, if one is.
keys::KeySpec key_spec(const AcmeIssue& command) {
  return keys::key_spec(command.key_algorithm.empty() ? "EC" : command.key_algorithm, command.key_size,
                        command.group_name);
}

void check_arguments(const AcmeIssue& command) {
  acme::require_usable(command.acme);
  argument([&] { x509::require_extensions(command.wanted.extensions); });
  static_cast<void>(acme::identifiers_of(command.wanted.extensions));
  if (!command.deploy_hook.empty()) acme::require_executable(command.deploy_hook, "-deploy-hook");
  if (command.key_algorithm.empty() && (command.key_size != 0 || !command.group_name.empty()))
    throw UsageError("-keysize and -groupname need -keyalg");
  if (command.alias == command.acme.account)
    throw UsageError(
        "-account " + command.acme.account +
        " is the alias itself; a CA refuses a certificate for an account key (RFC 8555, section 11.1)");
}

std::optional<keys::Entry> find_key(AliasStore& store, const AcmeIssue& command) {
  auto entry = store.find(command.alias);
  if (!entry) {
    argument([&] { keys::require_alias_name(command.alias); });
    store.keys().require_unused(command.alias);
    return entry;
  }
  if (!command.key_algorithm.empty())
    throw Failure(keys::quoted_alias(entry->alias) +
                  " has a key already, for which -keyalg says nothing; leave it out, or make another alias");
  store.require_named("replace the certificate of " + keys::quoted_alias(entry->alias));
  return entry;
}

// A URI is recorded without the PIN that may stand in it.
std::string token_to_record(const std::string& token) {
  if (!pkcs11::is_pkcs11_uri(token)) return token;
  pkcs11::Uri uri = pkcs11::parse_token_uri(token);
  uri.pin_value = {};
  return pkcs11::format_uri(uri);
}

std::filesystem::path whole_path(const std::filesystem::path& path) {
  return path.empty() ? path : std::filesystem::absolute(path);
}

acme::Renewal renewal_of(const AcmeIssue& command, const StoreOptions& options) {
  acme::Renewal renewal{.alias = command.alias,
                        .token = token_to_record(options.token),
                        .key_store = whole_path(options.key_store),
                        .acme = command.acme,
                        .wanted = command.wanted,
                        .deploy_hook = command.deploy_hook};
  renewal.acme.authorities = whole_path(command.acme.authorities);
  renewal.acme.webroot = whole_path(command.acme.webroot);
  return renewal;
}

void report_dry_run(const AcmeIssue& command, const std::optional<keys::Entry>& entry,
                    acme::Certification& certification) {
  const std::optional<bool> account = certification.has_account();
  if (!account) {
    fmt::print(stderr, "The account key \"{}\" would be made\n", command.acme.account);
  }
  if (!account.value_or(false)) {
    const std::string& terms = certification.directory().terms_of_service;
    fmt::print(stderr, "An account would be registered at {}{}\n", command.acme.directory,
               terms.empty() ? "" : ", by its terms of service " + terms);
  }
  fmt::print(stderr, "A certificate would be ordered for {} of \"{}\"\n", entry ? "the key" : "a new key",
             command.alias);
}

}  // namespace

void AcmeIssue::run(const StoreOptions& options) const {
  check_arguments(*this);
  const keys::KeySpec spec = argument([&] { return key_spec(*this); });
  const std::filesystem::path renewals = renewal_file_of(renewal_file, options);
  static_cast<void>(acme::read_renewals(renewals));  // a fault in it is told before anything is done
  OpenedStore opened(options, MissingKeyStore::made);
  AliasStore& store = opened.aliases();
  const std::string source = store.keys().source().name();
  const std::optional<keys::Entry> entry = find_key(store, *this);
  if (!entry) argument([&] { x509::require_signature_algorithm(wanted.signature_algorithm, spec); });
  const acme::CompleteCertificate certificate = acme::complete(wanted, entry ? entry->leaf : std::nullopt);
  acme::Certification certification(store, acme, secret_variables(options));
  if (dry_run) {
    report_dry_run(*this, entry, certification);
    return write_outcomes(report_of("acmeissue", Mode::dry_run),
                          {{.alias = alias, .result = AcmeResult::would_be_made, .source = source}}, form);
  }
  if (!entry && !no_prompt) agree_to_replication(store.keys().source());
  const acme::Interruption interruption;
  certification.prepare(certificate, account);
  const acme::Issued issued = entry ? acme::issue_for_key(store, certification, *entry, certificate)
                                    : acme::issue_for_new_key(store, certification, alias, spec, certificate);
  acme::record_renewal(renewals, renewal_of(*this, options));
  write_outcomes(
      report_of("acmeissue", Mode::done),
      {{.alias = alias, .result = AcmeResult::issued, .source = source, .not_after = issued.leaf.not_after}},
      form);
  run_deploy_hook(deploy_hook, alias, options);
}

}  // namespace keystay::tools
