#include "keystore-tools/renew.h"

#include <utility>

#include "keystore-tools/failure.h"
#include "keystore-tools/request_output.h"
#include "native/keys/alias_name.h"
#include "native/x509/certificate_request.h"
#include "native/x509/distinguished_name.h"
#include "native/x509/extension_list.h"
#include "native/x509/issued_certificate.h"
#include "native/x509/rsa_pss_key.h"
#include "native/x509/subject_alternative_names.h"

namespace keystay::tools {

void Renew::run(AliasStore& store) const {
  argument([&] {  // before the token is asked
    x509::require_extensions(extensions);
  });
  const keys::Entry entry = store.require_key(alias);
  if (!entry.leaf)
    throw Failure(keys::quoted_alias(entry.alias) +
                  " has no certificate to renew; ask for the first one by keystay certreq");
  argument([&] { static_cast<void>(x509::issuing_algorithm(entry, signature_algorithm)); });
  std::vector<std::string> asked = extensions;
  if (asked.empty())
    if (auto names = x509::subject_alternative_names(*entry.leaf)) asked.push_back(*std::move(names));
  const x509::RequestContent content{.subject = x509::decode_name(entry.leaf->subject),
                                     .extensions = std::move(asked),
                                     .signature_algorithm = signature_algorithm,
                                     .rsa_pss_spki = x509::rsa_pss_spki_of(entry).value_or(pkcs11::Bytes{})};
  write_request("renew", entry, x509::certificate_request(entry.key, content),
                {store.keys().source(), file, form});
}

}  // namespace keystay::tools
