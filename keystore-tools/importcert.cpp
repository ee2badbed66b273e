#include "keystore-tools/importcert.h"

#include <algorithm>
#include <cstdio>
#include <map>
#include <span>

#include <boost/json.hpp>
#include <fmt/core.h>

#include "keystore-tools/failure.h"
#include "keystore-tools/file_argument.h"
#include "keystore-tools/report.h"
#include "keystore-tools/terminal.h"
#include "native/keys/alias_name.h"
#include "native/keys/alias_state.h"
#include "native/keys/chain.h"
#include "native/keys/name.h"
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

// A file may hold thousands of certificates; who reads a message wants to know of which kind they are.
constexpr std::size_t kMostNamed = 5;

std::string subjects(const std::vector<Certificate>& certificates) {
  std::string list;
  const std::size_t named = std::min(certificates.size(), kMostNamed);
  for (const Certificate& certificate : std::span(certificates).first(named))
    list += (list.empty() ? "" : ", ") + subject(certificate);
  return list + (named < certificates.size() ? fmt::format(" and {} more", certificates.size() - named)
                                             : std::string());
}

bool contains(const std::vector<Certificate>& certificates, const Certificate& certificate) {
  return std::ranges::find(certificates, certificate.der, &Certificate::der) != certificates.end();
}

// It came with an earlier reply, so this one is not refused for it.
void report_expired(const Certificate& issuer) {
  const bool expired = issuer.not_after < std::chrono::system_clock::now();
  if (!expired) return;
  fmt::print(
      stderr,
      "keystay: note: the issuer {} on the token expired on {}; if the CA has a new one, import it with "
      "the reply\n",
      subject(issuer), x509::describe_time(issuer.not_after));
}

// Why the chain goes no further than its last certificate, which is no root.
std::string end_of(const keys::Chain& chain, const std::vector<Certificate>& unrelated,
                   const keys::Pkix& pkix) {
  const Certificate& last = chain.back();
  const std::string issuer = "\"" + x509::format_name(last.issuer) + "\"";
  const auto has_issued_last = [&](const Certificate& certificate) {
    return keys::same_name(certificate.subject, last.issuer) && pkix.issued_by(last, certificate);
  };
  if (std::any_of(chain.begin(), chain.end() - 1, has_issued_last))
    return "no root is at hand: its CAs have certified each other, and none of them is self-signed";
  if (chain.size() == keys::kLongestChain)
    return fmt::format("{} certificates are the most that Keystay follows", keys::kLongestChain);
  const auto has_name = [&](const Certificate& certificate) {
    return keys::same_name(certificate.subject, last.issuer);
  };
  if (std::ranges::any_of(unrelated, has_name))
    return "the certificate for its issuer " + issuer + " in the reply has another key than it was signed by";
  return "its issuer " + issuer + " is neither in the reply nor on the token";
}

void tell(const keys::Chain& chain, const std::vector<Certificate>& unrelated, const keys::Pkix& pkix) {
  if (!unrelated.empty()) {
    fmt::print(stderr, "keystay: note: {} {} not part of the chain and {} not imported\n",
               subjects(unrelated), unrelated.size() == 1 ? "is" : "are",
               unrelated.size() == 1 ? "was" : "were");
  }
  // Clients refuse such a chain (RFC 5280, section 6.1.4 (k)), and it is the CA's to give another one.
  for (auto issuer = chain.begin() + 1; issuer != chain.end(); ++issuer) {
    if (issuer->is_ca) continue;
    fmt::print(stderr,
               "keystay: note: the issuer {} in the chain is no CA (basicConstraints), so that clients will "
               "refuse the chain; ask the CA for the right certificate\n",
               subject(*issuer));
  }
  if (keys::is_self_signed(chain.back(), pkix)) return;
  fmt::print(stderr, "keystay: note: the chain ends with {}; {}\n", subject(chain.back()),
             end_of(chain, unrelated, pkix));
}

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

// Nothing in the reply is for this key: what it is for instead.
std::string why_none_fits(const std::vector<Certificate>& certificates) {
  const bool any_key = std::ranges::any_of(
      certificates, [](const Certificate& certificate) { return certificate.public_key.has_value(); });
  return any_key ? "other public keys are certified for " + subjects(certificates)
                 : std::string(certificates.size() == 1 ? "it has " : "they have ") + keys::kForeignKey +
                       ", " + "certified for " + subjects(certificates);
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

void ImportCert::refuse_outside_validity(const Certificate& certificate) const {
  if (allow_expired) return;
  const auto now = std::chrono::system_clock::now();
  const std::string name = "certificate " + subject(certificate) + " in the chain of " + source();
  if (certificate.not_after < now) {
    throw Failure(name + " expired on " + x509::describe_time(certificate.not_after) +
                  "; ask the CA for a new one, or import it all the same with -allowexpired");
  }
  if (certificate.not_before > now) {
    throw Failure(name + " is not valid before " + x509::describe_time(certificate.not_before) +
                  "; check the clock, or import it all the same with -allowexpired");
  }
}

// Whether it is the reply for the key that is to follow this one: then the alias goes over to that.
std::optional<ImportCert::Installed> ImportCert::finish_rotation(
    AliasStore& store, const keys::Entry& entry, const std::vector<Certificate>& certificates) const {
  keys::Rotation rotation(store.keys());
  const std::optional<keys::Entry> next = rotation.next_of(entry.alias);
  const auto is_for_next = [&](const Certificate& certificate) {
    return certificate.public_key == next->key.public_key();
  };
  if (!next || std::ranges::none_of(certificates, is_for_next)) return std::nullopt;
  Installed installed = import_reply(store, *next, certificates);
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
                                               std::vector<Certificate> certificates) const {
  const auto ordered = x509::order_chain(certificates, entry.key.public_key(), store.pkix());
  if (ordered.chain.empty()) {
    if (auto installed = finish_rotation(store, entry, certificates)) return *std::move(installed);
    throw Failure("nothing in " + source() + " fits the key of " + keys::quoted_alias(entry.alias) + ": " +
                  why_none_fits(ordered.unrelated) + "; import the reply to this key's own request");
  }
  // The token may have a better way to a root than the reply, and the reply than the token.
  const keys::Chain whole = store.keys().chain(ordered.chain.front(), certificates);
  keys::Chain chain;
  for (const Certificate& certificate : whole) {
    if (contains(certificates, certificate)) {
      refuse_outside_validity(certificate);
      chain.push_back(certificate);
    } else {
      report_expired(certificate);
    }
  }
  std::vector<Certificate> unrelated = std::move(certificates);
  std::erase_if(unrelated, [&](const Certificate& certificate) { return contains(whole, certificate); });
  if (!dry_run) store.replace_chain(entry, chain);
  tell(whole, unrelated, store.pkix());
  fmt::print(stderr, "Certificate reply {} installed for {}; its chain has {} certificate{}\n",
             dry_run ? "would be" : "was", keys::quoted_alias(entry.alias), whole.size(),
             whole.size() == 1 ? "" : "s");
  return {whole.size()};
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

void ImportCert::import_trusted(AliasStore& store, const std::vector<Certificate>& certificates) const {
  if (certificates.size() != 1) {
    throw Failure(
        "alias \"" + alias + "\" has no key, and " + source() + " holds " +
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
  refuse_outside_validity(certificate);
  if (!no_prompt && !dry_run) require_consent(store, certificate);
  if (!dry_run) store.add_trusted(alias, certificate);
  fmt::print(stderr, "Certificate {} added as alias \"{}\"\n", dry_run ? "would be" : "was", alias);
  boost::json::object report = report_of("importcert", mode_of(dry_run), store.keys().source());
  report["alias"] = json_text(alias);
  report["kind"] = "trusted";
  write_report(form, report);
}

void ImportCert::run(AliasStore& store) const {
  std::vector<Certificate> certificates;
  try {
    x509::CertificateBundle bundle = x509::read_bundle(read_input(file));
    report_skipped(bundle.skipped, source());
    certificates = std::move(bundle.certificates);
  } catch (const x509::Error& error) {
    throw Failure(source() + ": " + error.what());
  }
  if (const auto entry = store.find(alias)) {
    store.require_named("replace the certificate of " + keys::quoted_alias(entry->alias));
    report(store, import_reply(store, *entry, std::move(certificates)));
  } else {
    import_trusted(store, certificates);
  }
}

}  // namespace keystay::tools
