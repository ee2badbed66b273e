#include "provider/key/public_half.h"

#include <string_view>

#include "native/pkcs11/curve.h"
#include "native/x509/public_key.h"
#include "native/x509/rsa_pss_key.h"
#include "provider/reason.h"

namespace keystay::provider {
namespace {

using pkcs11::ByteView;

constexpr const KeyType* kTokenTypes[] = {&kRsa, &kEc, &kEd25519, &kEd448, &kX25519};

// The name of an Edwards or Montgomery curve; those of ECDSA are no types of their own.
struct OwnCurve {
  std::string_view operator()(const pkcs11::RsaPublicKey&) const noexcept { return {}; }
  std::string_view operator()(const pkcs11::EcPublicKey&) const noexcept { return {}; }
  std::string_view operator()(const auto& key) const noexcept {
    const pkcs11::Curve* curve = pkcs11::find_curve_by_parameters(key.parameters);
    return curve ? curve->name : std::string_view();
  }
};

std::string_view curve_of(const pkcs11::PublicKey& key) { return std::visit(OwnCurve{}, key); }

const KeyType& key_type_of(const pkcs11::PublicKey& key) {
  for (const KeyType* type : kTokenTypes) {
    if (type->token_type == pkcs11::key_type(key) && type->curve == curve_of(key)) return *type;
  }
  throw Error(Reason::unsupported,
              "a key of this type; the provider has RSA, EC, Ed25519, Ed448 and X25519 keys");
}

PublicHalf plain(const pkcs11::PublicKey& key, Software& software) {
  return {key_type_of(key), x509::to_evp_pkey(key, software.libctx())};
}

PublicHalf rsa_pss(ByteView spki, Software& software) {
  return {kRsaPss, x509::rsa_pss_public_key(spki, software.libctx())};
}

}  // namespace

PublicHalf public_half_of(const keys::Entry& entry, Software& software) {
  const auto pss = x509::rsa_pss_spki_of(entry);
  return pss ? rsa_pss(*pss, software) : plain(entry.key.public_key(), software);
}

PublicHalf public_half_of(ByteView spki, Software& software) {
  return x509::is_rsa_pss_spki(spki) ? rsa_pss(spki, software) : plain(x509::from_spki(spki), software);
}

PublicHalf public_half_of(const pkcs11::PublicKey& key, Software& software) { return plain(key, software); }

const KeyType& key_type_of(ByteView spki) {
  return x509::is_rsa_pss_spki(spki) ? kRsaPss : key_type_of(x509::from_spki(spki));
}

}  // namespace keystay::provider
