// ECDSA (FIPS 186-5, section 6).
#pragma once

#include "provider/signature/signature.h"

namespace keystay::provider {

class EcdsaSignature final : public Signature {
 public:
  using Signature::Signature;
  [[nodiscard]] std::unique_ptr<Signature> duplicate() const override;

  static constexpr char kSoftwareName[] = "ECDSA";
  static constexpr bool kRecovers = false;  // a signature does not have its digest in it

 private:
  EcdsaSignature(const EcdsaSignature&) = default;
  [[nodiscard]] std::optional<std::size_t> sign_on_token(pkcs11::ByteView digest,
                                                         std::span<std::uint8_t> signature) override;
  void require_random_nonce();
};

}  // namespace keystay::provider
