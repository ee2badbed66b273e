#include "native/pkcs11/key_search.h"

#include <algorithm>
#include <utility>

#include "native/pkcs11/curve.h"
#include "native/pkcs11/error.h"

namespace keystay::pkcs11 {
namespace {

Bytes without_leading_zeros(const Bytes& number) {
  return {std::find_if(number.begin(), number.end(), [](std::uint8_t byte) { return byte != 0; }),
          number.end()};
}

// CKA_EC_POINT is a DER OCTET STRING by the standard and the bare point on some tokens; the curve says which,
// because a bare point may look like an OCTET STRING.
Bytes unwrapped(const Bytes& point, const Curve& curve) {
  const std::size_t bare = curve.key_type == CKK_EC ? curve.signature_size + 1 : curve.signature_size / 2;
  const std::size_t header = bare < 0x80 ? 2 : 3;  // tag and length
  const bool wrapped = point.size() == header + bare && point[0] == 0x04 && point[header - 1] == bare;
  return wrapped ? Bytes(point.begin() + static_cast<std::ptrdiff_t>(header), point.end()) : point;
}

std::optional<PublicKey> rsa_public_key(const Attributes& key) {
  const Bytes* modulus = key.find(CKA_MODULUS);
  const Bytes* exponent = key.find(CKA_PUBLIC_EXPONENT);
  if (!modulus || !exponent || modulus->empty() || exponent->empty()) return std::nullopt;
  return RsaPublicKey{without_leading_zeros(*modulus), without_leading_zeros(*exponent)};
}

// On curves that Keystay knows. The parameters are always the curve's OID, so that equal keys compare equal
// however the token names their curve.
std::optional<PublicKey> curve_public_key(const Attributes& key) {
  const Bytes* parameters = key.find(CKA_EC_PARAMS);
  const Bytes* point = key.find(CKA_EC_POINT);
  if (!parameters || !point || point->empty()) return std::nullopt;
  const Curve* curve = find_curve_by_parameters(*parameters);
  if (!curve) return std::nullopt;
  Bytes oid(curve->parameters.begin(), curve->parameters.end());
  if (curve->key_type == CKK_EC) return EcPublicKey{std::move(oid), unwrapped(*point, *curve)};
  return EdwardsPublicKey{std::move(oid), unwrapped(*point, *curve)};
}

// The public half on the private key object itself, else on the public key object with the same id.
std::optional<PublicKey> public_half(Session& session, CK_OBJECT_HANDLE private_key) {
  const Attributes attributes = session.attributes(private_key, kKeyAttributes);
  if (std::optional<PublicKey> key = public_key_of(attributes)) return key;
  const Bytes id = attributes.bytes(CKA_ID);
  if (id.empty()) return std::nullopt;
  Template search;
  search.number(CKA_CLASS, CKO_PUBLIC_KEY).bytes(CKA_ID, id);
  for (const CK_OBJECT_HANDLE object : session.find_objects(std::move(search))) {
    if (std::optional<PublicKey> key = public_key_of(session.attributes(object, kKeyAttributes))) return key;
  }
  return std::nullopt;
}

// A key that shows no public half is told by its id alone.
bool is(Session& session, CK_OBJECT_HANDLE candidate, const KeyReference& key) {
  if (!key.public_key()) return true;
  const std::optional<PublicKey> shown = public_half(session, candidate);
  return !shown || *shown == *key.public_key();
}

}  // namespace

std::optional<PublicKey> public_key_of(const Attributes& key) {
  switch (key.number(CKA_KEY_TYPE).value_or(CK_UNAVAILABLE_INFORMATION)) {
    case CKK_RSA:
      return rsa_public_key(key);
    case CKK_EC:
    case CKK_EC_EDWARDS:
      return curve_public_key(key);
    default:
      return std::nullopt;
  }
}

CK_OBJECT_HANDLE find_private_key(Session& session, const KeyReference& key) {
  Template search;
  // Token objects only: the copies that sessions sign with are the same key once more.
  search.number(CKA_CLASS, CKO_PRIVATE_KEY).flag(CKA_TOKEN, true).number(CKA_KEY_TYPE, key.type());
  if (key.id().empty()) {
    search.text(CKA_LABEL, key.label());
  } else {
    search.bytes(CKA_ID, key.id());
  }
  std::vector<CK_OBJECT_HANDLE> found = session.find_objects(std::move(search));
  const bool any = !found.empty();
  std::erase_if(found, [&](CK_OBJECT_HANDLE candidate) { return !is(session, candidate, key); });

  if (found.size() == 1) return found.front();
  if (found.size() > 1) {
    throw Error(ErrorClass::client, "several private keys match; give each a CKA_ID of its own");
  }
  throw Error(ErrorClass::client,
              any ? "the private key on the token is another one than the one that was loaded"
                  : "no such private key on the token; was it deleted?");
}

}  // namespace keystay::pkcs11
