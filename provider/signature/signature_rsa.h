// RSASSA-PKCS1-v1_5 and RSASSA-PSS (RFC 8017, section 8), and the raw RSA operation.
#pragma once

#include "provider/signature/signature.h"

namespace keystay::provider {

class RsaSignature final : public Signature {
 public:
  using Signature::Signature;
  [[nodiscard]] std::unique_ptr<Signature> duplicate() const override;

  static constexpr char kSoftwareName[] = "RSA";
  static constexpr bool kRecovers = true;

 private:
  RsaSignature(const RsaSignature&) = default;
  void require_possible() override;
  [[nodiscard]] std::optional<std::size_t> sign_on_token(pkcs11::ByteView digest,
                                                         std::span<std::uint8_t> signature) override;
  [[nodiscard]] int padding();
  // Null where none is set yet.
  struct PssDigests {
    const Digest* hash;
    const Digest* mgf1;
  };
  [[nodiscard]] PssDigests pss_digests();
  [[nodiscard]] Pss pss();
  [[nodiscard]] std::optional<std::size_t> sign_pss(pkcs11::ByteView digest,
                                                    std::span<std::uint8_t> signature);
  [[nodiscard]] std::optional<std::size_t> sign_digest_info(pkcs11::ByteView digest,
                                                            std::span<std::uint8_t> signature) const;
};

}  // namespace keystay::provider
