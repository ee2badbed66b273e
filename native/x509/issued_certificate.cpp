#include "native/x509/issued_certificate.h"

#include <array>
#include <utility>

#include <openssl/err.h>
#include <openssl/pem.h>

#include "native/x509/der.h"
#include "native/x509/distinguished_name.h"
#include "native/x509/error_mark.h"
#include "native/x509/errors_set_aside.h"
#include "native/x509/extension_list.h"
#include "native/x509/pem_block.h"
#include "native/x509/public_key.h"
#include "native/x509/rsa_pss_key.h"
#include "native/x509/x509_certificate.h"

namespace keystay::x509 {
namespace {

using pkcs11::Bytes;
using pkcs11::ByteView;

// RFC 5280, section 4.2.1.2, method 1.
Bytes hash_of_key(X509_PUBKEY* key) {
  const unsigned char* bits = nullptr;
  int size = 0;
  Bytes digest(EVP_MAX_MD_SIZE);
  std::size_t length = 0;
  if (X509_PUBKEY_get0_param(nullptr, &bits, &size, nullptr, key) != 1 ||
      EVP_Q_digest(nullptr, "SHA1", nullptr, bits, static_cast<std::size_t>(size), digest.data(), &length) !=
          1) {
    throw openssl_error("cannot compute the key identifier");
  }
  digest.resize(length);
  return digest;
}

Bytes hash_of_key(const EVP_PKEY* key) {
  X509_PUBKEY* encoded = nullptr;
  if (X509_PUBKEY_set(&encoded, const_cast<EVP_PKEY*>(key)) != 1)
    throw openssl_error("cannot encode the public key");
  const Owned<X509_PUBKEY, X509_PUBKEY_free> owned(encoded);
  return hash_of_key(encoded);
}

X509Certificate parsed(const keys::Certificate& certificate) {
  X509Certificate x509 = parse_x509(certificate.der, nullptr);
  if (!x509) throw openssl_error("cannot decode the certificate");
  return x509;
}

X509Request request_from(ByteView der) {
  const ErrorMark other_bytes_are_no_error;
  const unsigned char* in = der.data();
  return X509Request(d2i_X509_REQ(nullptr, &in, static_cast<long>(der.size())));
}

X509Request decode_request(std::string_view content) {
  const ByteView bytes(reinterpret_cast<const std::uint8_t*>(content.data()), content.size());
  if (X509Request request = request_from(bytes)) return request;
  PemReader reader(content);
  while (const auto block = reader.next()) {
    if (block->label() != PEM_STRING_X509_REQ && block->label() != PEM_STRING_X509_REQ_OLD) continue;
    if (X509Request request = request_from(block->der())) return request;
    throw Error("its certificate request is damaged");
  }
  throw Error("there is no certificate request in it: expected PEM or DER (PKCS #10)");
}

struct Subject {
  EvpPkey key;
  const STACK_OF(X509_EXTENSION) * requested;  // may be null
};

keys::Certificate issue(const keys::Entry& ca, Subject subject, const IssueOptions& options) {
  const keys::Certificate& issuer = *ca.leaf;
  const X509Certificate x509 = parsed(issuer);
  EVP_PKEY* issuer_key = X509_get0_pubkey(x509.get());
  if (issuer_key == nullptr) throw openssl_error("cannot use the public key of the CA's certificate");
  const bool is_own_key = EVP_PKEY_eq(issuer_key, subject.key.get()) == 1;
  const IssuedExtensions extensions{
      .subject_key_identifier = hash_of_key(subject.key.get()),
      .authority_key_identifier = is_own_key ? Bytes{} : key_identifier_of(issuer),
      .requested = subject.requested};
  const CertificateContent content{.subject = X509Name(X509_NAME_dup(options.subject.get())),
                                   .issuer = decode_name(issuer.subject),
                                   .public_key = std::move(subject.key),
                                   .extensions = issued_extensions(options.extensions, extensions),
                                   .validity = options.validity};
  return signed_certificate(content, ca.key, issuer_key, issuing_algorithm(ca, options.signature_algorithm));
}

}  // namespace

X509Request read_request(std::string_view content) {
  const ErrorsSetAside others;
  X509Request request = decode_request(content);
  EVP_PKEY* key = X509_REQ_get0_pubkey(request.get());
  if (key == nullptr) throw openssl_error("cannot use the public key of the certificate request");
  if (X509_REQ_verify(request.get(), key) != 1) {
    ERR_clear_error();
    throw Error("the certificate request is not signed by its own key, or is damaged");
  }
  return request;
}

X509Name subject_of(const X509_REQ* request) {
  X509Name name(X509_NAME_dup(X509_REQ_get_subject_name(request)));
  if (!name) throw openssl_error("cannot copy a name");
  return name;
}

keys::Certificate issue_certificate(const keys::Entry& ca, X509_REQ* request, const IssueOptions& options) {
  const ErrorsSetAside others;
  const X509Extensions requested(X509_REQ_get_extensions(request));
  ERR_clear_error();  // a request without extensions is no error
  return issue(ca, {EvpPkey(X509_REQ_get_pubkey(request)), requested.get()}, options);
}

keys::Certificate issue_certificate(const keys::Entry& ca, const keys::PrivateKey& key, ByteView rsa_pss_spki,
                                    const IssueOptions& options) {
  const ErrorsSetAside others;
  EvpPkey public_key = rsa_pss_spki.empty() ? to_evp_pkey(key.public_key(), nullptr)
                                            : rsa_pss_public_key(rsa_pss_spki, nullptr);
  return issue(ca, {std::move(public_key), nullptr}, options);
}

const SignatureAlgorithm& issuing_algorithm(const keys::Entry& ca, std::string_view name) {
  const RsaUse use = rsa_pss_spki_of(ca) ? RsaUse::pss_only : RsaUse::any;
  return signature_algorithm(name, ca.key.public_key(), use);
}

Bytes key_identifier_of(const keys::Certificate& certificate) {
  const X509Certificate x509 = parsed(certificate);
  if (const ASN1_OCTET_STRING* id = X509_get0_subject_key_id(x509.get())) {
    const unsigned char* data = ASN1_STRING_get0_data(id);
    return {data, data + ASN1_STRING_length(id)};
  }
  return hash_of_key(X509_get_X509_PUBKEY(x509.get()));
}

}  // namespace keystay::x509
