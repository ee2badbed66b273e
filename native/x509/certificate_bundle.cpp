#include "native/x509/certificate_bundle.h"

#include <algorithm>
#include <optional>

#include <openssl/err.h>
#include <openssl/pem.h>

#include "native/keys/chain.h"
#include "native/keys/entry.h"
#include "native/pkcs11/der_element.h"
#include "native/x509/der.h"
#include "native/x509/error_mark.h"
#include "native/x509/errors_set_aside.h"
#include "native/x509/pem_block.h"
#include "native/x509/x509_certificate.h"

namespace keystay::x509 {
namespace {

using keys::Certificate;
using pkcs11::ByteView;

void add(std::vector<Certificate>& certificates, Certificate certificate) {
  if (std::ranges::find(certificates, certificate.der, &Certificate::der) == certificates.end()) {
    certificates.push_back(std::move(certificate));
  }
}

// The certificates of a SignedData, as a CA sends them in a .p7b; false for DER without any.
bool add_pkcs7(std::vector<Certificate>& certificates, ByteView der) {
  const ErrorMark mark;
  const unsigned char* in = der.data();
  const Pkcs7 message(d2i_PKCS7(nullptr, &in, static_cast<long>(der.size())));
  if (!message || PKCS7_type_is_signed(message.get()) == 0 || message->d.sign == nullptr) return false;
  const STACK_OF(X509)* stack = message->d.sign->cert;
  for (int i = 0; i < sk_X509_num(stack); ++i) add(certificates, to_certificate(sk_X509_value(stack, i)));
  return sk_X509_num(stack) > 0;
}

bool add_x509(std::vector<Certificate>& certificates, ByteView der) {
  const X509Certificate certificate = parse_x509(der, nullptr);
  if (!certificate) return false;
  add(certificates, to_certificate(certificate.get()));
  return true;
}

// A certificate, and what OpenSSL is to trust it for: the certificate is the first of two elements.
bool add_trusted(std::vector<Certificate>& certificates, ByteView der) {
  const std::optional<pkcs11::DerElement> certificate = pkcs11::take_element(der);
  return certificate && add_x509(certificates, certificate->whole);
}

void add_block(CertificateBundle& bundle, const PemBlock& block) {
  const std::string_view label = block.label();
  std::vector<Certificate>& certificates = bundle.certificates;
  bool added = false;
  if (label == PEM_STRING_X509 || label == PEM_STRING_X509_OLD) {
    added = add_x509(certificates, block.der());
  } else if (label == PEM_STRING_X509_TRUSTED) {
    added = add_trusted(certificates, block.der());
  } else if (label == PEM_STRING_PKCS7 || label == PEM_STRING_PKCS7_SIGNED || label == PEM_STRING_CMS) {
    added = add_pkcs7(certificates, block.der());
  } else {
    bundle.skipped.emplace_back(label);
    return;
  }
  if (!added) throw Error("the PEM block \"" + std::string(label) + "\" holds no certificate");
}

std::string list_of(const std::vector<std::string>& labels) {
  std::string list;
  for (const std::string& label : labels) list += (list.empty() ? "" : ", ") + label;
  return list;
}

}  // namespace

CertificateBundle read_bundle(std::string_view content) {
  const ErrorsSetAside others;
  CertificateBundle bundle;
  const ByteView der(reinterpret_cast<const std::uint8_t*>(content.data()), content.size());
  if (add_x509(bundle.certificates, der) || add_pkcs7(bundle.certificates, der)) return bundle;
  PemReader reader(content);
  while (const auto block = reader.next()) add_block(bundle, *block);
  if (bundle.certificates.empty()) {
    throw Error("there is no certificate in it: expected PEM, DER or PKCS #7 (.p7b)" +
                (bundle.skipped.empty() ? "" : ", and what is there is: " + list_of(bundle.skipped)));
  }
  return bundle;
}

std::vector<Certificate> read_certificates(std::string_view content) {
  return read_bundle(content).certificates;
}

OrderedChain order_chain(std::vector<Certificate> certificates, const pkcs11::PublicKey& key,
                         const keys::Pkix& pkix) {
  OrderedChain result{.chain = {}, .unrelated = std::move(certificates)};
  std::vector<Certificate>& rest = result.unrelated;
  const Certificate* leaf = nullptr;
  for (const Certificate& certificate : rest) {
    if (certificate.public_key == key && (!leaf || keys::preferred_leaf(certificate, *leaf)))
      leaf = &certificate;
  }
  if (!leaf) return result;
  result.chain = keys::build_chain(*leaf, pkix, keys::issuers_among(rest));
  std::erase_if(rest, [&](const Certificate& certificate) {
    return std::ranges::find(result.chain, certificate.der, &Certificate::der) != result.chain.end();
  });
  return result;
}

}  // namespace keystay::x509
