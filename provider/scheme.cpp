#include "provider/scheme.h"

#include <algorithm>
#include <array>
#include <bit>

#include "provider/pss_encoding.h"
#include "provider/reason.h"

namespace keystay::provider {
namespace {

using pkcs11::ByteView;

constexpr std::size_t kLongestModulus = 2048;  // bytes: RSA with 16,384 bits

std::size_t modulus_bits(const keys::PrivateKey& key) {
  const auto& modulus = std::get<pkcs11::RsaPublicKey>(key.public_key()).modulus;
  return 8 * modulus.size() - static_cast<std::size_t>(std::countl_zero(modulus.front()));
}

struct Signer {
  const Signing& signing;
  Software& software;

  std::size_t operator()(const Pss& pss) const {
    auto& token = signing.key.operations();
    if (pss.hash->hash && pss.mgf1->hash) {
      const pkcs11::SignMechanism mechanism =
          pkcs11::RsaPss{*pss.hash->hash, *pss.mgf1->hash, static_cast<CK_ULONG>(pss.salt_length)};
      if (token.supports(mechanism)) return sign_by(mechanism, signing.data);
    }
    if (!token.supports(pkcs11::RsaX509{})) {
      throw Error(Reason::unsupported,
                  token.name() +
                      " has neither CKM_RSA_PKCS_PSS for this hash function nor CKM_RSA_X_509; use "
                      "RSA with PKCS#1 v1.5 padding, or an EC key");
    }
    std::array<std::uint8_t, kLongestModulus> encoded;
    const auto block = std::span(encoded).first(std::min(encoded.size(), signing.key.signature_size()));
    encode_pss(pss, signing.data, modulus_bits(signing.key), block, software);
    return sign_by(pkcs11::RsaX509{}, block);
  }

  template <typename Mechanism>
  std::size_t operator()(const Mechanism& mechanism) const {
    return sign_by(mechanism, signing.data);
  }

  std::size_t sign_by(const pkcs11::SignMechanism& mechanism, ByteView data) const {
    const keys::PrivateKey& key = signing.key;
    return key.operations().sign(key.reference(), mechanism, data, signing.signature, signing.deadline);
  }
};

}  // namespace

std::size_t sign(const Signing& signing, Software& software) {
  return std::visit(Signer{signing, software}, signing.scheme);
}

}  // namespace keystay::provider
