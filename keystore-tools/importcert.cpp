#include "keystore-tools/importcert.h"

#include <algorithm>
#include <cstdio>
#include <map>

#include <boost/json.hpp>
#include <fmt/core.h>

#include "keystore-tools/certificate_reply.h"
#include "keystore-tools/failure.h"
#include "keystore-tools/file_argument.h"
#include "keystore-tools/report.h"
#include "keystore-tools/terminal.h"
#include "native/keys/alias_name.h"
#include "native/keys/alias_state.h"
#include "native/keys/rotation.h"
#include "native/pkcs11/unicode.h"
#include "native/x509/certificate_bundle.h"
#include "native/x509/certificate_text.h"
#include "native/x509/distinguished_name.h"
#include "native/x509/error.h"

namespace keystay::tools {
namespace {

using keys::Certificate;

std::string subject(const Certificate& certificate) {
  return "\"" + x509::format_name(certificate.subject) + "\"";
}

constexpr std::size_t kMostNamed = 5;  // kinds of blocks, in messages

void report_skipped(const std::vector<std::string>& labels, const std::string& source) {
  std::map<std::string_view, std::size_t> counts;
  for (const std::string& label : labels) ++counts[label];
  std::size_t told = 0;
  for (const auto& [label, count] : counts) {
    if (++told > kMostNamed) break;
    fmt::print(stderr, "keystay: note: the PEM block \"{}\" of {} holds no certificate and was skipped{}\n",
               label, source, count == 1 ? std::string() : fmt::format(", {} times", count));
  }
  if (counts.size() > kMostNamed)
    fmt::print(stderr, "keystay: note: so were {} more kinds of blocks\n", counts.size() - kMostNamed);
}

// In keytool's words: it asks once, and about the name where the certificate has one already.
void require_consent(AliasStore& store, const Certificate& certificate) {
  fmt::print(stderr, "{}", x509::describe_certificate(certificate));
  const std::vector<keys::TrustedCertificate> trusted = store.list().trusted;
  const auto same = std::ranges::find(
      trusted, certificate.der, [](const keys::TrustedCertificate& other) { return other.certificate.der; });
  const bool is_there = same != trusted.end();
  if (is_there) {
    fmt::print(stderr, "Certificate already exists in keystore under alias <{}>\n",
               pkcs11::printable(same->alias));
  }
  const Answer answer =
      ask(is_there ? "Do you still want to add it? [no]:  " : "Trust this certificate? [no]:  ");
  if (answer == Answer::nobody) {
    throw Failure(std::string("nobody can be asked whether to ") +
                  (is_there ? "add it under another name" : "trust it") + "; write -noprompt");
  }
  if (answer == Answer::no) throw Failure("certificate was not added to the key store");
}

}  // namespace

std::string ImportCert::source() const { return file.empty() ? "standard input" : file.string(); }

// Whether it is the reply for the key that is to follow this one: then the alias goes over to that.
std::optional<ImportCert::Installed> ImportCert::finish_rotation(AliasStore& store, const keys::Entry& entry,
                                                                 const CertificateReply& reply) const {
  keys::Rotation rotation(store.keys());
  const std::optional<keys::Entry> next = rotation.next_of(entry.alias);
  const auto is_for_next = [&](const Certificate& certificate) {
    return certificate.public_key == next->key.public_key();
  };
  if (!next || std::ranges::none_of(reply.certificates, is_for_next)) return std::nullopt;
  Installed installed = import_reply(store, *next, reply);
  installed.is_for_next = true;
  if (dry_run) {
    fmt::print(stderr, "{} would go over to its new key\n", keys::quoted_alias(entry.alias));
    return installed;
  }
  const unsigned number = rotation.finish(entry, store.read_again(next->key.reference()));
  fmt::print(stderr, "{} has gone over to its new key; the old one is kept as \"{}\"\n",
             keys::quoted_alias(entry.alias), pkcs11::printable(keys::kept_label(entry.alias, number)));
  installed.kept = keys::kept_label(entry.alias, number);
  return installed;
}

ImportCert::Installed ImportCert::import_reply(AliasStore& store, const keys::Entry& entry,
                                               const CertificateReply& reply) const {
  const auto chain = chain_for(store, entry, reply);
  if (!chain) {
    if (auto installed = finish_rotation(store, entry, reply)) return *std::move(installed);
    throw Failure("nothing in " + reply.source + " fits the key of " + keys::quoted_alias(entry.alias) +
                  ": " + why_none_fits(reply.certificates) + "; import the reply to this key's own request");
  }
  if (!dry_run) store.replace_chain(entry, chain->stored);
  tell(*chain, store.pkix());
  fmt::print(stderr, "Certificate reply {} installed for {}; its chain has {} certificate{}\n",
             dry_run ? "would be" : "was", keys::quoted_alias(entry.alias), chain->whole.size(),
             chain->whole.size() == 1 ? "" : "s");
  return {chain->whole.size()};
}

void ImportCert::report(AliasStore& store, const Installed& installed) const {
  boost::json::object report = report_of("importcert", mode_of(dry_run), store.keys().source());
  report["alias"] = json_text(alias);
  report["kind"] = "reply";
  report["chain-length"] = installed.chain_length;
  report["new-key"] = installed.is_for_next;
  report["kept"] = text_or_null(installed.kept);
  write_report(form, report);
}

void ImportCert::import_trusted(AliasStore& store, const CertificateReply& reply) const {
  const std::vector<Certificate>& certificates = reply.certificates;
  if (certificates.size() != 1) {
    throw Failure(
        "alias \"" + alias + "\" has no key, and " + reply.source + " holds " +
        std::to_string(certificates.size()) +
        " certificates; a trusted certificate is imported by itself, a reply for the alias of its key");
  }
  const Certificate& certificate = certificates.front();
  for (const keys::Entry& entry : store.entries()) {
    if (certificate.public_key == entry.key.public_key()) {
      throw Failure("the certificate " + subject(certificate) + " belongs to the key of " +
                    keys::quoted_alias(entry.alias) + ", not to \"" + alias + "\"; write -alias " +
                    entry.alias);
    }
  }
  argument([&] { keys::require_alias_name(alias); });
  store.keys().require_unused(alias);
  require_valid_today(certificate, reply);
  if (!no_prompt && !dry_run) require_consent(store, certificate);
  if (!dry_run) store.add_trusted(alias, certificate);
  fmt::print(stderr, "Certificate {} added as alias \"{}\"\n", dry_run ? "would be" : "was", alias);
  boost::json::object report = report_of("importcert", mode_of(dry_run), store.keys().source());
  report["alias"] = json_text(alias);
  report["kind"] = "trusted";
  write_report(form, report);
}

void ImportCert::run(AliasStore& store) const {
  CertificateReply reply{.source = source(), .certificates = {}, .allow_expired = allow_expired};
  try {
    x509::CertificateBundle bundle = x509::read_bundle(read_input(file));
    report_skipped(bundle.skipped, reply.source);
    reply.certificates = std::move(bundle.certificates);
  } catch (const x509::Error& error) {
    throw Failure(reply.source + ": " + error.what());
  }
  if (const auto entry = store.find(alias)) {
    store.require_named("replace the certificate of " + keys::quoted_alias(entry->alias));
    report(store, import_reply(store, *entry, reply));
  } else {
    import_trusted(store, reply);
  }
}

}  // namespace keystay::tools
