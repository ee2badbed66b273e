#include "native/keys/issuer_search.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "native/keys/name.h"
#include "native/keys/token_objects.h"

namespace keystay::keys {
namespace {

using pkcs11::ByteView;
using pkcs11::Session;

class IssuersOnToken final {
 public:
  IssuersOnToken(Session& session, const Pkix& pkix) : session_(session), pkix_(pkix) {}

  [[nodiscard]] std::vector<Certificate> by_octets(ByteView subject) {
    pkcs11::Template search = objects_of(CKO_CERTIFICATE);
    search.bytes(CKA_SUBJECT, subject);
    std::vector<Certificate> found;
    for (CertificateObject& object : read_certificates(session_, pkix_, std::move(search)))
      found.push_back(std::move(object.certificate));
    return found;
  }

  [[nodiscard]] std::vector<Certificate> by_name(ByteView subject) {
    if (!names_) names_ = read_names();
    std::vector<Certificate> found;
    for (auto [at, end] = names_->equal_range(canonical_name(subject)); at != end; ++at) {
      if (auto object = read_certificate(session_, pkix_, at->second))
        found.push_back(std::move(object->certificate));
    }
    return found;
  }

 private:
  using Names = std::multimap<pkcs11::Bytes, CK_OBJECT_HANDLE>;

  // CKA_SUBJECT may be empty (PKCS #11 v3.0, section 4.6.3): then the certificate is read.
  Names read_names() {
    constexpr CK_ATTRIBUTE_TYPE kSubject[] = {CKA_SUBJECT};
    Names names;
    for (const CK_OBJECT_HANDLE handle : session_.find_token_objects(objects_of(CKO_CERTIFICATE))) {
      pkcs11::Bytes subject = session_.attributes(handle, kSubject).bytes(CKA_SUBJECT);
      if (subject.empty()) {
        const auto object = read_certificate(session_, pkix_, handle);
        if (!object) continue;
        subject = object->certificate.subject;
      }
      names.emplace(canonical_name(subject), handle);
    }
    return names;
  }

  Session& session_;
  const Pkix& pkix_;
  std::optional<Names> names_;
};

std::vector<Certificate> joined(std::vector<Certificate> a, const std::vector<Certificate>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

}  // namespace

Chain chain_on_token(Session& session, const Pkix& pkix, const Certificate& leaf,
                     const std::vector<Certificate>& others) {
  IssuersOnToken token(session, pkix);
  const IssuerSearch at_hand = issuers_among(others);
  Chain chain = build_chain(
      leaf, pkix, [&](ByteView subject) { return joined(token.by_octets(subject), at_hand(subject)); });
  if (is_complete(chain, pkix)) return chain;
  return build_chain(leaf, pkix,
                     [&](ByteView subject) { return joined(token.by_name(subject), at_hand(subject)); });
}

Chain chain_by_searches(Session& session, const Pkix& pkix, const Certificate& leaf) {
  IssuersOnToken token(session, pkix);
  return build_chain(leaf, pkix, [&](ByteView subject) { return token.by_octets(subject); });
}

}  // namespace keystay::keys
