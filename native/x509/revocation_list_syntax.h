// CertificateList (RFC 5280, section 5.1) as ASN.1: libcrypto's X509_CRL lets nobody set a signature that was
// made elsewhere before OpenSSL 3.5.
#pragma once

#include "native/x509/openssl_types.h"

namespace keystay::x509 {

struct TbsCertListSyntax {
  ASN1_INTEGER* version;
  X509_ALGOR* signature;
  X509_NAME* issuer;
  ASN1_TIME* this_update;
  ASN1_TIME* next_update;
  STACK_OF(X509_REVOKED) * revoked;  // null: absent
  STACK_OF(X509_EXTENSION) * extensions;
};

struct CertificateListSyntax {
  TbsCertListSyntax* tbs;
  X509_ALGOR* algorithm;
  ASN1_BIT_STRING* signature;
};

[[nodiscard]] const ASN1_ITEM* tbs_cert_list_item();
[[nodiscard]] const ASN1_ITEM* certificate_list_item();

struct FreeCertificateList {
  void operator()(CertificateListSyntax* list) const noexcept {
    ASN1_item_free(reinterpret_cast<ASN1_VALUE*>(list), certificate_list_item());
  }
};
using CertificateList = std::unique_ptr<CertificateListSyntax, FreeCertificateList>;

}  // namespace keystay::x509
