#include "native/keys/issuers.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>

#include "native/keys/chain.h"
#include "native/keys/token_objects.h"

namespace keystay::keys {
namespace {

using pkcs11::ByteView;
using pkcs11::Session;

IssuerSearch among(const std::vector<CertificateObject>& certificates) {
  return [&](ByteView subject) {
    std::vector<CertificateObject> found;
    std::copy_if(certificates.begin(), certificates.end(), std::back_inserter(found),
                 [&](const auto& object) { return std::ranges::equal(object.certificate.subject, subject); });
    return found;
  };
}

}  // namespace

bool has_other_issuers(Session& session, const Pkix& pkix, const Chain& chain) {
  constexpr CK_ATTRIBUTE_TYPE kLabel[] = {CKA_LABEL};
  std::vector<std::string> labels;
  for (const Certificate& certificate : chain) {
    if (certificate.public_key) labels.push_back(issuer_label(pkix.key_identifier(*certificate.public_key)));
  }
  for (const CK_OBJECT_HANDLE handle : session.find_token_objects(objects_of(CKO_CERTIFICATE))) {
    const std::string label = session.attributes(handle, kLabel).text(CKA_LABEL);
    if (is_issuer_label(label) && std::find(labels.begin(), labels.end(), label) == labels.end()) return true;
  }
  return false;
}

void destroy_unneeded_issuers(Session& session, const Pkix& pkix, const std::vector<Entry>& entries) {
  const auto certificates = read_certificates(session, pkix, objects_of(CKO_CERTIFICATE));
  std::vector<pkcs11::Bytes> needed;
  for (const Entry& entry : entries) {
    if (!entry.leaf) continue;
    for (Certificate& certificate : build_chain(*entry.leaf, pkix, among(certificates))) {
      needed.push_back(std::move(certificate.der));
    }
  }
  for (const CertificateObject& object : certificates) {
    const bool is_needed = std::find(needed.begin(), needed.end(), object.certificate.der) != needed.end();
    if (is_issuer_label(object.label) && !is_needed) session.destroy_object(object.handle);
  }
}

}  // namespace keystay::keys
