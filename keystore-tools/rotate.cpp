#include "keystore-tools/rotate.h"

#include <chrono>
#include <cstdio>
#include <optional>

#include <boost/json.hpp>
#include <fmt/core.h>

#include "keystore-tools/failure.h"
#include "keystore-tools/file_argument.h"
#include "keystore-tools/report.h"
#include "native/keys/alias_name.h"
#include "native/keys/alias_state.h"
#include "native/keys/rotation.h"
#include "native/pkcs11/text.h"
#include "native/pkcs11/unicode.h"
#include "native/x509/certificate_request.h"
#include "native/x509/certificate_text.h"
#include "native/x509/distinguished_name.h"
#include "native/x509/extension_list.h"
#include "native/x509/pem.h"
#include "native/x509/self_signed_certificate.h"
#include "native/x509/signature_algorithm.h"
#include "native/x509/subject_alternative_names.h"

namespace keystay::tools {
namespace {

void check_arguments(const Rotate& command) {
  x509::require_extensions(command.extensions);
  if (!command.distinguished_name.empty()) static_cast<void>(x509::parse_name(command.distinguished_name));
  if (command.key_algorithm.empty() && (command.key_size != 0 || !command.group_name.empty()))
    throw UsageError("-keysize and -groupname need -keyalg");
  if (command.self_signed && !command.file.empty())
    throw UsageError("-selfsigned and -file exclude one another: there is no request");
}

std::vector<std::string> extensions_of(const Rotate& command, const keys::Entry& current) {
  if (!command.extensions.empty() || !current.leaf) return command.extensions;
  const auto names = x509::subject_alternative_names(*current.leaf);
  return names ? std::vector<std::string>{*names} : std::vector<std::string>{};
}

x509::X509Name subject_of(const Rotate& command, const keys::Entry& current) {
  if (!command.distinguished_name.empty()) return x509::parse_name(command.distinguished_name);
  if (current.leaf) return x509::decode_name(current.leaf->subject);
  throw Failure(keys::quoted_alias(current.alias) +
                " has no certificate to take the name from; give one with -dname");
}

x509::RequestContent content_of(const Rotate& command, const keys::Entry& current) {
  return {.subject = subject_of(command, current),
          .extensions = extensions_of(command, current),
          .signature_algorithm = command.signature_algorithm};
}

keys::Chain self_signed_chain(const Rotate& command, const keys::Entry& current, const keys::Entry& made) {
  const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  const x509::Validity validity{.not_before = now, .length = std::chrono::days(command.validity_days)};
  return {x509::self_signed_certificate(made.key, content_of(command, current), validity)};
}

// What there is to tell of a rotation that has begun, or ended.
struct Rotated {
  const keys::Entry& current;
  const keys::Entry& next;
  std::string kept;     // label of the old key; empty: the alias waits for a certificate
  std::string request;  // PEM; empty: the alias has gone over
};

void report_in_json(const Rotate& command, AliasStore& store, const Rotated& rotated) {
  boost::json::object report = report_of("rotate", Mode::done, store.keys().source());
  report["alias"] = json_text(rotated.current.alias);
  report["key"] = x509::describe_key(rotated.next.key.public_key());
  report["id"] = pkcs11::hex(rotated.next.key.reference().id());
  report["kept"] = text_or_null(rotated.kept);
  report["request"] = text_or_null(rotated.request);
  write_report(command.form, report);
}

void report_dry_run(const Rotate& command, AliasStore& store, const keys::Entry& current) {
  fmt::print(stderr, "A new key would follow that of {} on {}\n", keys::quoted_alias(current.alias),
             store.keys().source().name());
  boost::json::object report = report_of("rotate", Mode::dry_run, store.keys().source());
  report["alias"] = json_text(current.alias);
  write_report(command.form, report);
}

void report_begun(const Rotate& command, const Rotated& rotated) {
  if (command.form == OutputForm::text || !command.file.empty()) write_output(command.file, rotated.request);
  fmt::print(stderr,
             "Made the key that is to follow that of {}, {} with {}; the alias goes over to it with its "
             "certificate: keystay importcert -alias {}\n",
             keys::quoted_alias(rotated.current.alias), x509::describe_key(rotated.next.key.public_key()),
             keys::id_alias(rotated.next.key.reference().id()), pkcs11::printable(rotated.current.alias));
}

}  // namespace

keys::KeySpec spec_like(const pkcs11::PublicKey& key) {
  if (const auto* rsa = std::get_if<pkcs11::RsaPublicKey>(&key))
    return keys::RsaSpec{static_cast<unsigned>(rsa->modulus.size() * 8)};
  const pkcs11::Bytes& parameters = std::visit(
      [](const auto& curve) -> const pkcs11::Bytes& {
        if constexpr (requires { curve.parameters; }) {
          return curve.parameters;
        } else {
          return curve.modulus;
        }
      },
      key);
  const pkcs11::Curve* curve = pkcs11::find_curve_by_parameters(parameters);
  if (!curve) throw Failure("the key is on a curve that no new key can be on; write -keyalg and -groupname");
  return keys::CurveSpec{curve};
}

void report_switched(const keys::Entry& current, const keys::Entry& next, const std::string& kept) {
  fmt::print(stderr,
             "Alias \"{}\" is the new key from here on, {} with {}; programs take it when they load the "
             "alias anew\n"
             "The old one is kept as \"{}\"; keystay retire destroys it\n",
             pkcs11::printable(current.alias), x509::describe_key(next.key.public_key()),
             keys::id_alias(next.key.reference().id()), pkcs11::printable(kept));
}

void Rotate::run(AliasStore& store) const {
  argument([&] { check_arguments(*this); });
  const std::optional<keys::KeySpec> asked =
      key_algorithm.empty()
          ? std::nullopt
          : std::optional(argument([&] { return keys::key_spec(key_algorithm, key_size, group_name); }));
  const keys::Entry current = store.require_key(alias);
  const keys::KeySpec spec = asked ? *asked : spec_like(current.key.public_key());
  argument([&] { x509::require_signature_algorithm(signature_algorithm, spec); });
  const x509::RequestContent content = content_of(*this, current);
  store.require_named("rotate " + keys::quoted_alias(current.alias));
  keys::Rotation rotation(store.keys());
  rotation.require_followable(current);
  if (dry_run) return report_dry_run(*this, store, current);
  std::string request;
  const keys::Entry next = rotation.begin(current, spec, [&](const keys::Entry& made) {
    if (self_signed) return self_signed_chain(*this, current, made);
    request = x509::to_pem(x509::kRequestLabel, x509::certificate_request(made.key, content));
    return keys::Chain{};
  });
  std::string kept;
  if (self_signed) kept = keys::kept_label(current.alias, rotation.finish(current, next));
  const Rotated rotated{current, next, kept, request};
  self_signed ? report_switched(current, next, kept) : report_begun(*this, rotated);
  report_in_json(*this, store, rotated);
}

}  // namespace keystay::tools
