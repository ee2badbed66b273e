#include "native/x509/certificate_request.h"

#include "native/x509/der.h"
#include "native/x509/errors_set_aside.h"
#include "native/x509/extension_list.h"
#include "native/x509/public_key.h"
#include "native/x509/signature_algorithm.h"
#include "native/x509/signature_bits.h"
#include "native/x509/stated_public_key.h"

namespace keystay::x509 {
namespace {

X509Request unsigned_request(EVP_PKEY* public_key, const RequestContent& content,
                             const X509Extensions& extensions) {
  X509Request request(X509_REQ_new());
  if (!request || X509_REQ_set_version(request.get(), X509_REQ_VERSION_1) != 1 ||
      X509_REQ_set_subject_name(request.get(), content.subject.get()) != 1 ||
      X509_REQ_set_pubkey(request.get(), public_key) != 1 ||
      X509_REQ_add_extensions(request.get(), extensions.get()) != 1) {
    throw openssl_error("cannot make the certificate request");
  }
  return request;
}

pkcs11::Bytes der_of(X509_REQ* request) {
  return to_der([&](unsigned char** out) { return i2d_X509_REQ(request, out); },
                "cannot encode the certificate request");
}

}  // namespace

pkcs11::Bytes certificate_request(const keys::PrivateKey& key, const RequestContent& content) {
  const ErrorsSetAside others;
  const SignatureAlgorithm& algorithm =
      signature_algorithm(content.signature_algorithm, key.public_key(), rsa_use(content));
  const EvpPkey public_key = stated_public_key(key, content);
  const X509Extensions extensions = parse_extensions(content.extensions, key.public_key());
  const X509Request request = unsigned_request(public_key.get(), content, extensions);
  if (X509_REQ_set1_signature_algo(request.get(), algorithm_identifier(algorithm).get()) != 1) {
    throw openssl_error("cannot make the certificate request");
  }
  const auto to_be_signed =
      to_der([&](unsigned char** out) { return i2d_re_X509_REQ_tbs(request.get(), out); },
             "cannot encode the certificate request");
  X509_REQ_set0_signature(request.get(), signature_bits(sign(key, algorithm, to_be_signed)).release());
  if (X509_REQ_verify(request.get(), public_key.get()) != 1) {
    throw openssl_error("the token made a signature that its own public key does not verify");
  }
  return der_of(request.get());
}

pkcs11::Bytes certificate_request(EVP_PKEY* key, const RequestContent& content) {
  const ErrorsSetAside others;
  const X509Extensions extensions = parse_extensions(content.extensions, from_evp_pkey(key));
  const X509Request request = unsigned_request(key, content, extensions);
  if (X509_REQ_sign(request.get(), key, EVP_sha256()) <= 0 || X509_REQ_verify(request.get(), key) != 1)
    throw openssl_error("cannot sign the certificate request");
  return der_of(request.get());
}

}  // namespace keystay::x509
