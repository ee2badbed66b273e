#include "provider/signature/signature_ecdsa.h"

#include <algorithm>
#include <array>

#include <openssl/core_names.h>
#include <openssl/params.h>

#include "native/x509/ecdsa_signature.h"

namespace keystay::provider {
namespace {

using pkcs11::ByteView;

constexpr std::size_t kLongestSignature = 2 * 66;  // P-521

}  // namespace

std::unique_ptr<Signature> EcdsaSignature::duplicate() const {
  return std::unique_ptr<Signature>(new EcdsaSignature(*this));
}

// OpenSSL can make nonces from the message and the private key since 3.2 (RFC 6979); for a token there is no
// mechanism that asks for that.
void EcdsaSignature::require_random_nonce() {
#ifdef OSSL_SIGNATURE_PARAM_NONCE_TYPE
  unsigned int type = 0;
  OSSL_PARAM request[] = {OSSL_PARAM_construct_uint(OSSL_SIGNATURE_PARAM_NONCE_TYPE, &type),
                          OSSL_PARAM_construct_end()};
  if (!touched_parameters()) return;
  if (!params(request)) throw SoftwareFailure("EVP_PKEY_CTX_get_params");
  if (type != 0) throw Error(Reason::unsupported, "deterministic nonces; tokens make their own, at random");
#endif
}

std::optional<std::size_t> EcdsaSignature::sign_on_token(ByteView digest, std::span<std::uint8_t> signature) {
  require_random_nonce();
  std::array<std::uint8_t, kLongestSignature> raw;
  const std::size_t size = key().on_token()->signature_size();
  if (size > raw.size()) throw Error(Reason::unsupported, "ECDSA with a curve of this size");
  // Only the leftmost bits count, as many as the order has (FIPS 186-5, section 6.4.1, step 2). Not every
  // token cuts a longer digest itself. Orders are whole bytes, but for P-521, which no digest reaches.
  digest = digest.first(std::min(digest.size(), size / 2));
  const auto written = key().perform(pkcs11::Sign{pkcs11::Ecdsa{}}, digest, std::span(raw).first(size));
  if (!written) return std::nullopt;

  std::array<std::uint8_t, x509::kLongestEcdsaDer> der;
  const auto encoded = std::span(der).first(x509::encode_ecdsa(std::span(raw).first(*written), der));
  if (encoded.size() > signature.size()) throw Error(Reason::internal, "the token's signature is too long");
  std::copy(encoded.begin(), encoded.end(), signature.begin());
  return encoded.size();
}

}  // namespace keystay::provider
