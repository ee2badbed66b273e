#include "provider/key/scheme.h"

#include <algorithm>
#include <array>
#include <bit>
#include <optional>

#include "native/pkcs11/error.h"
#include "native/x509/error_mark.h"
#include "provider/reason.h"
#include "provider/signature/pss_encoding.h"

namespace keystay::provider {
namespace {

using pkcs11::ByteView;

constexpr std::size_t kLongestModulus = 2048;  // bytes: RSA with 16,384 bits

std::size_t modulus_bits(const keys::PrivateKey& key) {
  const auto& modulus = std::get<pkcs11::RsaPublicKey>(key.public_key()).modulus;
  return 8 * modulus.size() - static_cast<std::size_t>(std::countl_zero(modulus.front()));
}

class Performer final {
 public:
  Performer(const PrivateOperation& operation, Software& software)
      : operation_(operation), software_(software) {}

  template <typename Mechanism>
  std::size_t operator()(const Mechanism& mechanism) const {
    return sign_by(mechanism, operation_.data);
  }

  std::size_t operator()(const Pss& pss) const {
    auto& token = operation_.key.operations();
    const auto mechanism = pss_mechanism(pss);
    if (mechanism && token.supports(*mechanism)) return sign_by(*mechanism, operation_.data);
    if (token.supports(pkcs11::RsaX509{})) return sign_encoded(pss);
    throw Error(Reason::unsupported,
                token.name() +
                    " has neither CKM_RSA_PKCS_PSS for this hash function nor CKM_RSA_X_509; use "
                    "RSA with PKCS#1 v1.5 padding, or an EC key");
  }

  std::size_t operator()(const RsaDecryption& decryption) const {
    auto& token = operation_.key.operations();
    if (token.supports_decryption(pkcs11::RsaX509{})) return decrypt_bare();
    if (decryption.otherwise && token.supports_decryption(*decryption.otherwise))
      return decrypt_by(*decryption.otherwise, operation_.result);
    throw Error(Reason::unsupported,
                token.name() +
                    " does not decrypt by CKM_RSA_X_509; that it takes the padding off by itself would tell "
                    "an attacker whether it was right: use ECDHE key exchange, or OAEP");
  }

  std::size_t operator()(Ecdh) const {
    const keys::PrivateKey& key = operation_.key;
    key.operations().derive(key.reference(), operation_.data, operation_.result, operation_.deadline);
    return operation_.result.size();
  }

 private:
  // Tokens leave leading zeros out or not.
  std::size_t decrypt_bare() const {
    const std::span<std::uint8_t> block = operation_.result.first(operation_.data.size());
    const std::size_t size = decrypt_by(pkcs11::RsaX509{}, block);
    std::copy_backward(block.begin(), block.begin() + static_cast<std::ptrdiff_t>(size), block.end());
    std::fill_n(block.begin(), block.size() - size, std::uint8_t{0});
    return block.size();
  }

  std::size_t decrypt_by(const pkcs11::DecryptMechanism& mechanism, std::span<std::uint8_t> result) const {
    const keys::PrivateKey& key = operation_.key;
    return key.operations().decrypt(key.reference(), mechanism, operation_.data, result, operation_.deadline);
  }

  // Nothing where MGF1 is over another hash function: tokens differ in whether they do that.
  static std::optional<pkcs11::SignMechanism> pss_mechanism(const Pss& pss) {
    if (!pss.hash->hash || pss.hash != pss.mgf1) return std::nullopt;
    return pkcs11::RsaPss{*pss.hash->hash, *pss.mgf1->hash, static_cast<CK_ULONG>(pss.salt_length)};
  }

  std::size_t sign_encoded(const Pss& pss) const {
    std::array<std::uint8_t, kLongestModulus> encoded;
    const auto block = std::span(encoded).first(std::min(encoded.size(), operation_.key.signature_size()));
    encode_pss(pss, operation_.data, modulus_bits(operation_.key), block, software_);
    return sign_by(pkcs11::RsaX509{}, block);
  }

  std::size_t sign_by(const pkcs11::SignMechanism& mechanism, ByteView data) const {
    const keys::PrivateKey& key = operation_.key;
    // SoftHSM takes no null pointer, not even for a message without bytes.
    static constexpr std::uint8_t kNothing = 0;
    if (data.empty()) data = ByteView(&kNothing, 0);
    return key.operations().sign(key.reference(), mechanism, data, operation_.result, operation_.deadline);
  }

  const PrivateOperation& operation_;
  Software& software_;
};

}  // namespace

std::size_t perform(const PrivateOperation& operation, Software& software) {
  // A module may use libcrypto itself, as SoftHSM does, and leave its own errors on this thread's queue.
  const x509::ErrorMark errors_of_the_module;
  return std::visit(Performer(operation, software), operation.scheme);
}

}  // namespace keystay::provider
