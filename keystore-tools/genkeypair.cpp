#include "keystore-tools/genkeypair.h"

#include <cstdio>

#include <fmt/core.h>

#include "keystore-tools/failure.h"
#include "keystore-tools/start_date.h"
#include "keystore-tools/terminal.h"
#include "native/keys/alias_name.h"
#include "native/pkcs11/unicode.h"
#include "native/x509/certificate_text.h"
#include "native/x509/distinguished_name.h"
#include "native/x509/extension.h"
#include "native/x509/self_signed_certificate.h"
#include "native/x509/signature_algorithm.h"

namespace keystay::tools {
namespace {

x509::Validity validity(const GenKeyPair& command) {
  const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  return {.not_before = start_date(command.start_date, now),
          .length = std::chrono::days(command.validity_days)};
}

// All arguments are checked before the token is used.
void check_arguments(const GenKeyPair& command, const keys::KeySpec& spec) {
  keys::require_alias_name(command.alias);
  if (command.distinguished_name.empty() && !command.extensions.empty()) {
    throw UsageError("-ext needs -dname: without a name there is no certificate that could carry it");
  }
  for (const std::string& extension : command.extensions) static_cast<void>(x509::parse_extension(extension));
  const x509::Validity wanted = validity(command);
  using namespace std::chrono;
  if (wanted.not_before + wanted.length >= sys_days(10000y / 1 / 1)) {
    throw UsageError("-validity " + std::to_string(command.validity_days) +
                     ": the certificate would end after the year 9999, which X.509 cannot write");
  }
  if (!command.distinguished_name.empty()) {
    x509::require_signature_algorithm(command.signature_algorithm, spec);
  } else if (!command.signature_algorithm.empty()) {
    throw UsageError("-sigalg needs -dname: without a name there is no certificate that is signed");
  }
}

keys::Certificate certificate(const keys::Entry& entry, const GenKeyPair& command, x509::X509Name subject) {
  const x509::RequestContent content{.subject = std::move(subject),
                                     .extensions = command.extensions,
                                     .signature_algorithm = command.signature_algorithm};
  return x509::self_signed_certificate(entry.key, content, validity(command));
}

// What no key of a single token has to bear.
void agree_to_replication(keys::KeySource& source, bool no_prompt) {
  const auto replication = source.replication();
  if (no_prompt || !replication || replication->replicas.size() < 2 || !replication->wrapping_key) return;
  fmt::print(stderr,
             "The key is made on one member of {} and leaves it once, wrapped under \"{}\", for the others:\n"
             "its CKA_NEVER_EXTRACTABLE will be false. Afterwards no member lets it out.\n",
             source.name(), pkcs11::printable(replication->wrapping_key->label));
  const Answer answer = ask("Make it? [no]:  ");
  if (answer == Answer::nobody) throw Failure("nobody can be asked; write -noprompt");
  if (answer == Answer::no) throw Failure("no key was made");
}

}  // namespace

void GenKeyPair::run(AliasStore& store) const {
  const keys::KeySpec spec = argument([&] { return keys::key_spec(key_algorithm, key_size, group_name); });
  argument([&] { check_arguments(*this, spec); });
  x509::X509Name subject =
      argument([&] { return distinguished_name.empty() ? nullptr : x509::parse_name(distinguished_name); });
  agree_to_replication(store.keys().source(), no_prompt);
  const keys::Entry entry = store.generate(alias, spec, [&](const keys::Entry& unfinished) -> keys::Chain {
    if (!subject) return {};
    return {certificate(unfinished, *this, std::move(subject))};
  });
  fmt::print(stderr, "Generated alias \"{}\" on {}: {}\n", entry.alias, store.keys().source().name(),
             x509::describe_key(entry.key.public_key()));
  if (!entry.leaf) return;
  fmt::print(stderr, "Self-signed certificate for {}, valid until {}\n",
             x509::format_name(entry.leaf->subject), x509::describe_time(entry.leaf->not_after));
}

}  // namespace keystay::tools
