#include "keystore-tools/gencert.h"

#include "keystore-tools/failure.h"
#include "keystore-tools/file_argument.h"
#include "keystore-tools/issuer_alias.h"
#include "native/keys/chain.h"
#include "native/x509/distinguished_name.h"
#include "native/x509/extension_list.h"
#include "native/x509/issued_certificate.h"
#include "native/x509/pem.h"

namespace keystay::tools {
namespace {

std::string source(const GenCert& command) {
  return command.request.empty() ? "standard input" : command.request.string();
}

x509::X509Request read_request(const GenCert& command) {
  try {
    return x509::read_request(read_input(command.request));
  } catch (const x509::Error& error) {
    throw Failure(source(command) + ": " + error.what());
  }
}

void append(std::string& output, const keys::Certificate& certificate, bool rfc) {
  if (rfc)
    output += x509::to_pem(x509::kCertificateLabel, certificate.der);
  else
    output.append(reinterpret_cast<const char*>(certificate.der.data()), certificate.der.size());
}

}  // namespace

void GenCert::run(AliasStore& store) const {
  const x509::Validity period = validity(start_date, validity_days);
  argument([&] { x509::require_issued_extensions(extensions); });
  x509::X509Name name =
      argument([&] { return distinguished_name.empty() ? nullptr : x509::parse_name(distinguished_name); });
  const x509::X509Request csr = read_request(*this);
  const keys::Entry ca = require_issuer(store, alias);
  argument([&] { static_cast<void>(x509::issuing_algorithm(ca, signature_algorithm)); });
  const x509::IssueOptions options{.subject = name ? std::move(name) : x509::subject_of(csr.get()),
                                   .extensions = extensions,
                                   .signature_algorithm = signature_algorithm,
                                   .validity = period};
  std::string result;
  append(result, x509::issue_certificate(ca, csr.get(), options), rfc);
  for (const keys::Certificate& issuer : store.keys().chain(ca))
    if (!keys::is_self_signed(issuer, store.pkix())) append(result, issuer, rfc);
  write_output(output, result);
}

}  // namespace keystay::tools
