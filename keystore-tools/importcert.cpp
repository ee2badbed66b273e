#include "keystore-tools/importcert.h"

#include <cstdio>

#include <fmt/core.h>

#include "keystore-tools/failure.h"
#include "keystore-tools/file_argument.h"
#include "keystore-tools/terminal.h"
#include "native/keys/alias_name.h"
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

// The issuers above the last certificate of the chain that the token already has.
keys::Chain issuers_on_token(AliasStore& store, keys::Entry entry, const Certificate& last) {
  entry.leaf = last;
  keys::Chain chain = store.keys().chain(entry);
  chain.erase(chain.begin());
  return chain;
}

void report(const keys::Chain& chain, const std::vector<Certificate>& unrelated) {
  for (const Certificate& certificate : unrelated) {
    fmt::print(stderr, "keystay: note: {} is not part of the chain and was not imported\n",
               subject(certificate));
  }
  if (!chain.back().self_issued()) {
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
  auto [chain, unrelated] = x509::order_chain(std::move(certificates), entry.key.public_key(), store.pkix());
  if (chain.empty()) {
    throw Failure("nothing in " + source() + " fits the key of alias \"" + entry.alias +
                  "\": other public keys are certified for " + subjects(unrelated) +
                  "; import the reply to this key's own request");
  }
  keys::Chain whole = chain;
  if (!whole.back().self_issued()) {
    for (Certificate& issuer : issuers_on_token(store, entry, chain.back()))
      whole.push_back(std::move(issuer));
  }
  for (const Certificate& certificate : whole) refuse_outside_validity(certificate);
  store.keys().replace_chain(entry, chain);
  report(whole, unrelated);
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
    certificates = x509::read_certificates(read_input(file));
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
