#include "keystore-tools/genkeypair.h"

#include <cstdio>
#include <optional>
#include <utility>

#include <boost/json.hpp>
#include <fmt/core.h>

#include "keystore-tools/entry_json.h"
#include "keystore-tools/failure.h"
#include "keystore-tools/issuer_alias.h"
#include "keystore-tools/replication_consent.h"
#include "keystore-tools/report.h"
#include "native/keys/alias_name.h"
#include "native/pkcs11/text.h"
#include "native/pkcs11/unicode.h"
#include "native/x509/certificate_text.h"
#include "native/x509/distinguished_name.h"
#include "native/x509/extension_list.h"
#include "native/x509/issued_certificate.h"
#include "native/x509/rsa_pss_key.h"
#include "native/x509/self_signed_certificate.h"
#include "native/x509/signature_algorithm.h"

namespace keystay::tools {
namespace {

// A key for RSASSA-PSS only is an RSA key whose certificate says so.
bool is_for_pss(const GenKeyPair& command) {
  return pkcs11::equal_ignoring_case(command.key_algorithm, "RSASSA-PSS");
}

keys::KeySpec key_spec(const GenKeyPair& command) {
  if (!is_for_pss(command))
    return keys::key_spec(command.key_algorithm, command.key_size, command.group_name);
  if (command.distinguished_name.empty())
    throw UsageError("-keyalg RSASSA-PSS needs -dname: it is the certificate that says what the key is for");
  return keys::key_spec("RSA", command.key_size, command.group_name);
}

// All arguments are checked before the token is used.
void check_arguments(const GenKeyPair& command, const keys::KeySpec& spec) {
  keys::require_alias_name(command.alias);
  x509::require_extensions(command.extensions);
  static_cast<void>(validity(command.start_date, command.validity_days));
  if (command.distinguished_name.empty()) {
    const char* without = !command.extensions.empty()            ? "-ext"
                          : !command.signature_algorithm.empty() ? "-sigalg"
                          : !command.signer.empty()              ? "-signer"
                                                                 : nullptr;
    if (without != nullptr)
      throw UsageError(std::string(without) + " needs -dname: without a name there is no certificate");
  } else if (command.signer.empty()) {
    x509::require_signature_algorithm(command.signature_algorithm, spec,
                                      is_for_pss(command) ? x509::RsaUse::pss_only : x509::RsaUse::any);
  }
}

keys::Chain self_signed(const keys::Entry& entry, const GenKeyPair& command, x509::X509Name subject) {
  const x509::RequestContent content{
      .subject = std::move(subject),
      .extensions = command.extensions,
      .signature_algorithm = command.signature_algorithm,
      .rsa_pss_spki =
          is_for_pss(command) ? x509::unrestricted_rsa_pss_spki(entry.key.public_key()) : pkcs11::Bytes{}};
  return {
      x509::self_signed_certificate(entry.key, content, validity(command.start_date, command.validity_days))};
}

// The alias that -signer names, and its chain.
struct Signer {
  keys::Entry entry;
  keys::Chain chain;
};

std::optional<Signer> find_signer(AliasStore& store, const GenKeyPair& command) {
  if (command.signer.empty()) return std::nullopt;
  keys::Entry entry = require_issuer(store, command.signer);
  argument([&] { static_cast<void>(x509::issuing_algorithm(entry, command.signature_algorithm)); });
  keys::Chain chain = store.keys().chain(entry);
  return Signer{std::move(entry), std::move(chain)};
}

keys::Chain issued(const keys::Entry& entry, const GenKeyPair& command, x509::X509Name subject,
                   const Signer& ca) {
  const x509::IssueOptions options{.subject = std::move(subject),
                                   .extensions = command.extensions,
                                   .signature_algorithm = command.signature_algorithm,
                                   .validity = validity(command.start_date, command.validity_days)};
  const pkcs11::Bytes pss =
      is_for_pss(command) ? x509::unrestricted_rsa_pss_spki(entry.key.public_key()) : pkcs11::Bytes{};
  keys::Chain chain{x509::issue_certificate(ca.entry, entry.key, pss, options)};
  chain.insert(chain.end(), ca.chain.begin(), ca.chain.end());
  return chain;
}

void report(const GenKeyPair& command, AliasStore& store, const std::optional<Signer>& ca,
            const keys::Entry* made) {
  boost::json::object report = report_of("genkeypair", mode_of(command.dry_run), store.keys().source());
  report["alias"] = json_text(command.alias);
  report["entry"] = nullptr;
  if (made) report["entry"] = entry_in_json(*made, !made->leaf ? 0 : 1 + (ca ? ca->chain.size() : 0));
  write_report(command.form, report);
}

}  // namespace

void GenKeyPair::run(AliasStore& store) const {
  const keys::KeySpec spec = argument([&] { return key_spec(*this); });
  argument([&] { check_arguments(*this, spec); });
  x509::X509Name subject =
      argument([&] { return distinguished_name.empty() ? nullptr : x509::parse_name(distinguished_name); });
  const std::optional<Signer> ca = find_signer(store, *this);
  if (dry_run) {
    store.keys().require_unused(alias);
    fmt::print(stderr, "Alias \"{}\" would be made on {}\n", pkcs11::printable(alias),
               store.keys().source().name());
    return report(*this, store, ca, nullptr);
  }
  if (!no_prompt) agree_to_replication(store.keys().source());
  const keys::Entry entry = store.generate(alias, spec, [&](const keys::Entry& unfinished) -> keys::Chain {
    if (!subject) return {};
    return ca ? issued(unfinished, *this, std::move(subject), *ca)
              : self_signed(unfinished, *this, std::move(subject));
  });
  fmt::print(stderr, "Generated alias \"{}\" on {}: {}\n", entry.alias, store.keys().source().name(),
             x509::describe_key(entry.key.public_key()));
  if (entry.leaf) {
    fmt::print(stderr, "{} for {}, valid until {}\n",
               ca ? "Certificate by " + keys::quoted_alias(ca->entry.alias) : "Self-signed certificate",
               x509::format_name(entry.leaf->subject), x509::describe_time(entry.leaf->not_after));
  }
  report(*this, store, ca, &entry);
}

}  // namespace keystay::tools
