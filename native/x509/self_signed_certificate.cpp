#include "native/x509/self_signed_certificate.h"

#include "native/x509/errors_set_aside.h"
#include "native/x509/extension_list.h"
#include "native/x509/stated_public_key.h"

namespace keystay::x509 {

keys::Certificate self_signed_certificate(const keys::PrivateKey& key, const RequestContent& content,
                                          Validity validity) {
  const ErrorsSetAside others;
  const SignatureAlgorithm& algorithm =
      signature_algorithm(content.signature_algorithm, key.public_key(), rsa_use(content));
  CertificateContent certificate{
      .subject = X509Name(X509_NAME_dup(content.subject.get())),
      .issuer = X509Name(X509_NAME_dup(content.subject.get())),
      .public_key = stated_public_key(key, content),
      .extensions = parse_extensions(content.extensions, key.public_key()),
      .validity = validity,
  };
  return signed_certificate(certificate, key, certificate.public_key.get(), algorithm);
}

}  // namespace keystay::x509
