#include "keystore-tools/importcert.h"

#include <algorithm>
#include <cstdio>

#include <fmt/core.h>

#include "keystore-tools/failure.h"
#include "keystore-tools/file_argument.h"
#include "keystore-tools/terminal.h"
#include "native/keys/alias_name.h"
#include "native/keys/chain.h"
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

std::string subjects(const std::vector<Certificate>& certificates) {
  std::string list;
  for (const Certificate& certificate : certificates)
    list += (list.empty() ? "" : ", ") + subject(certificate);
  return list;
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

void report(const keys::Chain& chain, const std::vector<Certificate>& unrelated, const keys::Pkix& pkix) {
  for (const Certificate& certificate : unrelated) {
    fmt::print(stderr, "keystay: note: {} is not part of the chain and was not imported\n",
               subject(certificate));
  }
  if (!keys::is_self_signed(chain.back(), pkix)) {
    fmt::print(
        stderr,
        "keystay: note: the chain ends with {}; its issuer \"{}\" is neither in the reply nor on the token\n",
        subject(chain.back()), x509::format_name(chain.back().issuer));
  }
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

void ImportCert::import_reply(AliasStore& store, const keys::Entry& entry,
                              std::vector<Certificate> certificates) const {
  const auto ordered = x509::order_chain(certificates, entry.key.public_key(), store.pkix());
  if (ordered.chain.empty()) {
    throw Failure("nothing in " + source() + " fits the key of alias \"" + entry.alias +
                  "\": other public keys are certified for " + subjects(ordered.unrelated) +
                  "; import the reply to this key's own request");
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
  store.keys().replace_chain(entry, chain);
  report(whole, unrelated, store.pkix());
  fmt::print(stderr, "Certificate reply was installed for alias \"{}\"; its chain has {} certificate{}\n",
             entry.alias, whole.size(), whole.size() == 1 ? "" : "s");
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
      throw Failure("the certificate " + subject(certificate) + " belongs to the key of alias \"" +
                    entry.alias + "\", not to \"" + alias + "\"; write -alias " + entry.alias);
    }
  }
  argument([&] { keys::require_alias_name(alias); });
  store.require_unused(alias);
  refuse_outside_validity(certificate);
  if (!no_prompt) {
    fmt::print(stderr, "{}", x509::describe_certificate(certificate));
    const Answer answer = ask("Trust this certificate? [no]:  ");
    if (answer == Answer::nobody) throw Failure("nobody can be asked whether to trust it; write -noprompt");
    if (answer == Answer::no) throw Failure("certificate was not added to the key store");
  }
  store.add_trusted(alias, certificate);
  fmt::print(stderr, "Certificate was added as alias \"{}\"\n", alias);
}

void ImportCert::run(AliasStore& store) const {
  std::vector<Certificate> certificates;
  try {
    x509::CertificateBundle bundle = x509::read_bundle(read_input(file));
    for (const std::string& label : bundle.skipped) {
      fmt::print(stderr, "keystay: note: the PEM block \"{}\" of {} holds no certificate and was skipped\n",
                 label, source());
    }
    certificates = std::move(bundle.certificates);
  } catch (const x509::Error& error) {
    throw Failure(source() + ": " + error.what());
  }
  if (const auto entry = store.find(alias)) {
    store.require_key_store();
    import_reply(store, *entry, std::move(certificates));
  } else {
    import_trusted(store, certificates);
  }
}

}  // namespace keystay::tools
