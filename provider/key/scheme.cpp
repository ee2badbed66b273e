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

// Nothing where MGF1 is over another hash function: tokens differ in whether they do that.
std::optional<pkcs11::Sign> pss_mechanism(const Pss& pss) {
  if (!pss.hash->hash || pss.hash != pss.mgf1) return std::nullopt;
  return pkcs11::Sign{
      pkcs11::RsaPss{*pss.hash->hash, *pss.mgf1->hash, static_cast<CK_ULONG>(pss.salt_length)}};
}

constexpr pkcs11::Sign kSignBlock{pkcs11::RsaX509{}};
const pkcs11::Operation kDecryptBlock = pkcs11::Decrypt{pkcs11::RsaX509{}};

class Performer final {
 public:
  Performer(const PrivateOperation& wanted, Software& software) : wanted_(wanted), software_(software) {}

  std::size_t operator()(const pkcs11::Operation& operation) const {
    return by(operation, wanted_.data, wanted_.result);
  }

  std::size_t operator()(const Pss& pss) const {
    auto& token = wanted_.key.operations();
    const auto mechanism = pss_mechanism(pss);
    if (mechanism && token.supports(*mechanism)) return by(*mechanism, wanted_.data, wanted_.result);
    if (token.supports(kSignBlock)) return sign_encoded(pss);
    throw Error(Reason::unsupported,
                token.name() +
                    " has neither CKM_RSA_PKCS_PSS for this hash function nor CKM_RSA_X_509; use "
                    "RSA with PKCS#1 v1.5 padding, or an EC key");
  }

  std::size_t operator()(const RsaDecryption& decryption) const {
    auto& token = wanted_.key.operations();
    if (token.supports(kDecryptBlock)) return decrypt_block();
    if (const auto& oaep = decryption.otherwise; oaep && token.supports(pkcs11::Decrypt{*oaep}))
      return by(pkcs11::Decrypt{*oaep}, wanted_.data, wanted_.result);
    throw Error(Reason::unsupported,
                token.name() +
                    " does not decrypt by CKM_RSA_X_509; that it takes the padding off by itself would tell "
                    "an attacker whether it was right: use ECDHE key exchange, or OAEP");
  }

 private:
  // Tokens leave leading zeros out or not.
  std::size_t decrypt_block() const {
    const std::span<std::uint8_t> block = wanted_.result.first(wanted_.data.size());
    const std::size_t size = by(kDecryptBlock, wanted_.data, block);
    std::copy_backward(block.begin(), block.begin() + static_cast<std::ptrdiff_t>(size), block.end());
    std::fill_n(block.begin(), block.size() - size, std::uint8_t{0});
    return block.size();
  }

  std::size_t sign_encoded(const Pss& pss) const {
    std::array<std::uint8_t, kLongestModulus> encoded;
    const auto block = std::span(encoded).first(std::min(encoded.size(), wanted_.key.signature_size()));
    encode_pss(pss, wanted_.data, modulus_bits(wanted_.key), block, software_);
    return by(kSignBlock, block, wanted_.result);
  }

  std::size_t by(const pkcs11::Operation& operation, ByteView data, std::span<std::uint8_t> result) const {
    return wanted_.key.perform(operation, data, result, wanted_.deadline);
  }

  const PrivateOperation& wanted_;
  Software& software_;
};

}  // namespace

std::size_t perform(const PrivateOperation& operation, Software& software) {
  // A module may use libcrypto itself, as SoftHSM does, and leave its own errors on this thread's queue.
  const x509::ErrorMark errors_of_the_module;
  return std::visit(Performer(operation, software), operation.scheme);
}

}  // namespace keystay::provider
