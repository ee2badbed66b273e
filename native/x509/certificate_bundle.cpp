#include "native/x509/certificate_bundle.h"

#include <algorithm>

#include <openssl/err.h>
#include <openssl/pem.h>

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

void add_block(std::vector<Certificate>& certificates, const PemBlock& block) {
  const std::string_view label = block.label();
  const bool x509 = label == PEM_STRING_X509 || label == PEM_STRING_X509_OLD;
  const bool pkcs7 = label == PEM_STRING_PKCS7 || label == PEM_STRING_PKCS7_SIGNED;
  if ((x509 && !add_x509(certificates, block.der())) || (pkcs7 && !add_pkcs7(certificates, block.der()))) {
    throw Error("the PEM block \"" + std::string(label) + "\" holds no certificate");
  }
}

}  // namespace

std::vector<Certificate> read_certificates(std::string_view content) {
  const ErrorsSetAside others;
  std::vector<Certificate> certificates;
  const ByteView der(reinterpret_cast<const std::uint8_t*>(content.data()), content.size());
  if (add_x509(certificates, der) || add_pkcs7(certificates, der)) return certificates;
  PemReader reader(content);
  while (const auto block = reader.next()) add_block(certificates, *block);
  if (certificates.empty()) throw Error("there is no certificate in it: expected PEM, DER or PKCS #7 (.p7b)");
  return certificates;
}

OrderedChain order_chain(std::vector<Certificate> certificates, const pkcs11::PublicKey& key,
                         const keys::Pkix& pkix) {
  OrderedChain result{.chain = {}, .unrelated = std::move(certificates)};
  std::vector<Certificate>& rest = result.unrelated;
  const auto take = [&](std::vector<Certificate>::iterator position) {
    result.chain.push_back(std::move(*position));
    rest.erase(position);
  };
  std::ranges::stable_sort(rest, std::ranges::greater{}, &Certificate::not_before);
  auto next = std::ranges::find(rest, key, &Certificate::public_key);
  while (next != rest.end()) {
    take(next);
    const Certificate& last = result.chain.back();
    if (last.self_issued()) break;
    next = std::ranges::find_if(rest, [&](const Certificate& candidate) {
      return candidate.subject == last.issuer && pkix.issued_by(last, candidate);
    });
  }
  return result;
}

}  // namespace keystay::x509
