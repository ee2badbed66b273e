#include "provider/signature_ecdsa.h"

#include <algorithm>
#include <array>

#include <openssl/core_names.h>

#include "provider/ecdsa_syntax.h"

namespace keystay::provider {
namespace {

using pkcs11::ByteView;

constexpr std::size_t kLongestSignature = 2 * 66;  // P-521

}  // namespace

std::unique_ptr<Signature> EcdsaSignature::duplicate() const {
  return std::unique_ptr<Signature>(new EcdsaSignature(*this));
}

std::optional<std::size_t> EcdsaSignature::sign_on_token(ByteView digest, std::span<std::uint8_t> signature) {
  std::array<std::uint8_t, kLongestSignature> raw;
  const std::size_t size = key().on_token()->signature_size();
  if (size > raw.size()) throw Error(Reason::unsupported, "ECDSA with a curve of this size");
  // Only the leftmost bits count, as many as the order has (FIPS 186-5, section 6.4.1, step 2). Not every
  // token cuts a longer digest itself. Orders are whole bytes, but for P-521, which no digest reaches.
  digest = digest.first(std::min(digest.size(), size / 2));
  const auto written = key().perform(pkcs11::Ecdsa{}, digest, std::span(raw).first(size));
  if (!written) return std::nullopt;

  std::array<std::uint8_t, kLongestEcdsaDer> der;
  const auto encoded = std::span(der).first(encode_ecdsa(std::span(raw).first(*written), der));
  if (encoded.size() > signature.size()) throw Error(Reason::internal, "the token's signature is too long");
  std::copy(encoded.begin(), encoded.end(), signature.begin());
  return encoded.size();
}

const OSSL_PARAM* EcdsaSignature::gettable_params() noexcept {
  static const OSSL_PARAM params[] = {
      OSSL_PARAM_octet_string(OSSL_SIGNATURE_PARAM_ALGORITHM_ID, nullptr, 0),
      OSSL_PARAM_size_t(OSSL_SIGNATURE_PARAM_DIGEST_SIZE, nullptr),
      OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_DIGEST, nullptr, 0),
      OSSL_PARAM_END,
  };
  return params;
}

const OSSL_PARAM* EcdsaSignature::settable_params() noexcept {
  static const OSSL_PARAM params[] = {
      OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_DIGEST, nullptr, 0),
      OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PROPERTIES, nullptr, 0),
      OSSL_PARAM_END,
  };
  return params;
}

}  // namespace keystay::provider
