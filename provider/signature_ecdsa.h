// ECDSA (FIPS 186-5, section 6).
#pragma once

#include "provider/signature.h"

namespace keystay::provider {

class EcdsaSignature final : public Signature {
 public:
  using Signature::Signature;
  [[nodiscard]] std::unique_ptr<Signature> duplicate() const override;

  [[nodiscard]] static const OSSL_PARAM* gettable_params() noexcept;
  [[nodiscard]] static const OSSL_PARAM* settable_params() noexcept;

 private:
  EcdsaSignature(const EcdsaSignature&) = default;
  [[nodiscard]] std::optional<std::size_t> sign_on_token(pkcs11::ByteView digest,
                                                         std::span<std::uint8_t> signature) override;
};

}  // namespace keystay::provider
