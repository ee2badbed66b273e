#include "keystore-tools/certreq.h"

#include "keystore-tools/failure.h"
#include "keystore-tools/request_output.h"
#include "native/keys/alias_name.h"
#include "native/x509/certificate_request.h"
#include "native/x509/distinguished_name.h"
#include "native/x509/extension_list.h"
#include "native/x509/issued_certificate.h"
#include "native/x509/rsa_pss_key.h"

namespace keystay::tools {
namespace {

x509::X509Name subject(const CertReq& command, const keys::Entry& entry) {
  if (!command.distinguished_name.empty()) return x509::parse_name(command.distinguished_name);
  if (!entry.leaf) {
    throw Failure(keys::quoted_alias(entry.alias) +
                  " has no certificate to take the name from; give one with -dname");
  }
  return x509::decode_name(entry.leaf->subject);
}

}  // namespace

void CertReq::run(AliasStore& store) const {
  argument([&] {  // before the token is asked
    x509::require_extensions(extensions);
    if (!distinguished_name.empty()) static_cast<void>(x509::parse_name(distinguished_name));
  });
  const keys::Entry entry = store.require_key(alias);
  argument([&] { static_cast<void>(x509::issuing_algorithm(entry, signature_algorithm)); });
  const x509::RequestContent content{.subject = subject(*this, entry),
                                     .extensions = extensions,
                                     .signature_algorithm = signature_algorithm,
                                     .rsa_pss_spki = x509::rsa_pss_spki_of(entry).value_or(pkcs11::Bytes{})};
  write_request("certreq", entry, x509::certificate_request(entry.key, content),
                {store.keys().source(), file, form});
}

}  // namespace keystay::tools
