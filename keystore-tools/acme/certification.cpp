#include "keystore-tools/acme/certification.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include <fmt/core.h>

#include "keystore-tools/acme/challenge_server.h"
#include "keystore-tools/acme/dns_hook.h"
#include "keystore-tools/acme/identifiers.h"
#include "keystore-tools/acme/webroot.h"
#include "keystore-tools/failure.h"
#include "native/keys/alias_name.h"
#include "native/keys/key_spec.h"
#include "native/x509/certificate_bundle.h"
#include "native/x509/certificate_request.h"
#include "native/x509/certificate_text.h"
#include "native/x509/der.h"
#include "native/x509/distinguished_name.h"
#include "native/x509/rsa_pss_key.h"
#include "native/x509/subject_alternative_names.h"

namespace keystay::tools::acme {
namespace {

constexpr std::size_t kLongestCommonName = 64;  // ub-common-name of RFC 5280

// CN is the first name where one fits, as CAs have done it; otherwise there is no subject (RFC 5280, section
// 4.1.2.6).
x509::X509Name subject_for(const std::vector<Identifier>& identifiers) {
  const auto fits = [](const Identifier& identifier) {
    return identifier.type == IdentifierType::dns && identifier.value.size() <= kLongestCommonName;
  };
  const auto found = std::ranges::find_if(identifiers, fits);
  if (found == identifiers.end()) return x509::X509Name(X509_NAME_new());
  return x509::parse_name("CN=" + found->value);
}

x509::X509Name subject_of(const WantedCertificate& wanted, const std::optional<keys::Certificate>& leaf,
                          const std::vector<Identifier>& identifiers) {
  if (!wanted.distinguished_name.empty())
    return argument([&] { return x509::parse_name(wanted.distinguished_name); });
  // Names of its own have a subject of their own: a CN that is not among them is refused by CAs.
  if (wanted.extensions.empty() && leaf) return x509::decode_name(leaf->subject);
  return subject_for(identifiers);
}

Responders responders_of(const AcmeOptions& options, const std::vector<std::string>& secret_variables) {
  Responders responders;
  if (!options.http_port.empty()) responders.push_back(std::make_unique<ChallengeServer>(options.http_port));
  if (!options.webroot.empty()) responders.push_back(std::make_unique<Webroot>(options.webroot));
  if (!options.dns_hook.empty())
    responders.push_back(std::make_unique<DnsHook>(Hook{options.dns_hook, secret_variables}));
  return responders;
}

}  // namespace

CompleteCertificate complete(const WantedCertificate& wanted, const std::optional<keys::Certificate>& leaf) {
  CompleteCertificate result{.subject = {},
                             .extensions = wanted.extensions,
                             .identifiers = identifiers_of(wanted.extensions),
                             .signature_algorithm = wanted.signature_algorithm};
  if (result.identifiers.empty() && leaf) {
    if (auto names = x509::subject_alternative_names(*leaf)) {
      result.identifiers = identifiers_of(std::vector{*names});
      result.extensions.push_back(*std::move(names));
    }
  }
  if (result.identifiers.empty())
    throw UsageError("no names are given for the certificate; write -ext san=dns:www.example.org");
  const x509::X509Name subject = subject_of(wanted, leaf, result.identifiers);
  result.subject = x509::to_der([&](unsigned char** out) { return i2d_X509_NAME(subject.get(), out); },
                                "cannot encode the subject");
  return result;
}

void require_usable(const AcmeOptions& options) {
  if (!options.directory.starts_with("https://"))
    throw UsageError("-directory " + options.directory +
                     ": expected an https URL, that of an ACME server's directory");
  argument([&] { keys::require_alias_name(options.account); });
  if (!options.http_port.empty()) require_challenge_address(options.http_port);
  if (!options.dns_hook.empty()) require_executable(options.dns_hook, "-dns-hook");
  if (!options.http_port.empty() && !options.webroot.empty())
    throw UsageError("-http-port and -webroot exclude one another: both answer http-01");
}

Certification::Certification(AliasStore& store, const AcmeOptions& options,
                             std::vector<std::string> secret_variables)
    : store_(store),
      options_(options),
      secret_variables_(std::move(secret_variables)),
      https_(options.authorities),
      client_(https_, options.directory) {}

keys::Entry Certification::require_account_key() {
  if (auto entry = store_.find(options_.account)) return *std::move(entry);
  const keys::Entry made = store_.generate(options_.account, keys::key_spec("EC", 0, "secp256r1"),
                                           [](const keys::Entry&) { return keys::Chain(); });
  fmt::print(stderr, "Made the account key {} on {}: {}\n", keys::quoted_alias(made.alias),
             store_.keys().source().name(), x509::describe_key(made.key.public_key()));
  return made;
}

void Certification::prepare(const CompleteCertificate& wanted, const AccountOptions& account) {
  responders_ = responders_of(options_, secret_variables_);
  require_answerable(wanted.identifiers, responders_);
  client_.use_key(jws_key(require_account_key().key));
  require_account(client_, account);
}

std::optional<bool> Certification::has_account() {
  const auto entry = store_.find(options_.account);
  if (!entry) return std::nullopt;
  client_.use_key(jws_key(entry->key));
  return find_account(client_);
}

ReplyChain Certification::certify(const keys::Entry& entry, const CompleteCertificate& wanted) {
  const x509::RequestContent content{.subject = x509::decode_name(wanted.subject),
                                     .extensions = wanted.extensions,
                                     .signature_algorithm = wanted.signature_algorithm,
                                     .rsa_pss_spki = x509::rsa_pss_spki_of(entry).value_or(pkcs11::Bytes{})};
  const pkcs11::Bytes request = x509::certificate_request(entry.key, content);
  const std::string pem = obtain_certificate(client_, wanted.identifiers, responders_, request);
  CertificateReply reply{.source = "the answer of " + options_.directory, .certificates = {}};
  try {
    reply.certificates = x509::read_certificates(pem);
  } catch (const x509::Error& error) {
    throw Failure(reply.source + ": " + error.what());
  }
  auto chain = chain_for(store_, entry, reply);
  if (!chain)
    throw Failure("nothing in " + reply.source + " fits the key of " + keys::quoted_alias(entry.alias) +
                  ": " + why_none_fits(reply.certificates));
  return *std::move(chain);
}

}  // namespace keystay::tools::acme
