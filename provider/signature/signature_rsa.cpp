#include "provider/signature/signature_rsa.h"

#include <algorithm>
#include <array>
#include <string>

#include <openssl/core_names.h>
#include <openssl/rsa.h>

namespace keystay::provider {
namespace {

using pkcs11::ByteView;

// The longest name of a digest, as in OpenSSL's providers.
using Name = std::array<char, 50>;

constexpr std::size_t kPkcs1Overhead = 11;  // RFC 8017, section 9.2, step 3

std::size_t salt_length(int requested, std::size_t modulus_bits, const Digest& digest) {
  const std::size_t em_length = (modulus_bits - 1 + 7) / 8;
  if (em_length < digest.size + 2)
    throw Error(Reason::unsupported, "PSS: the digest is too long for this RSA key");
  const std::size_t longest = em_length - digest.size - 2;
  switch (requested) {
    case RSA_PSS_SALTLEN_DIGEST:
      return digest.size;
    case RSA_PSS_SALTLEN_AUTO:
    case RSA_PSS_SALTLEN_MAX:
      return longest;
#ifdef RSA_PSS_SALTLEN_AUTO_DIGEST_MAX
    case RSA_PSS_SALTLEN_AUTO_DIGEST_MAX:
      return std::min(longest, digest.size);
#endif
    default:
      break;
  }
  const auto length = static_cast<std::size_t>(requested);
  if (requested < 0 || length > longest) {  // RFC 8017, section 9.1.1, step 3
    throw Error(Reason::unsupported, "PSS: a salt of " + std::to_string(requested) +
                                         " bytes does not fit into this RSA key with " +
                                         std::string(digest.name) + "; at most " + std::to_string(longest) +
                                         ", and rsa_pss_saltlen:digest is usual");
  }
  return length;
}

// The shortest salt that the parameters of an RSA-PSS key allow (RFC 4055, section 3.3).
std::size_t shortest_salt(const Key& key) {
  int length = 0;
  const bool bound = &key.type() == &kRsaPss &&
                     EVP_PKEY_get_int_param(key.software(), OSSL_PKEY_PARAM_RSA_PSS_SALTLEN, &length) == 1;
  return bound && length > 0 ? static_cast<std::size_t>(length) : 0;
}

}  // namespace

std::unique_ptr<Signature> RsaSignature::duplicate() const {
  return std::unique_ptr<Signature>(new RsaSignature(*this));
}

int RsaSignature::padding() {
  if (!touched_parameters() && &key().type() == &kRsa) return RSA_PKCS1_PADDING;
  int padding = 0;
  OSSL_PARAM request[] = {OSSL_PARAM_construct_int(OSSL_SIGNATURE_PARAM_PAD_MODE, &padding),
                          OSSL_PARAM_construct_end()};
  if (EVP_PKEY_CTX_get_params(parameters(), request) != 1) throw SoftwareFailure("EVP_PKEY_CTX_get_params");
  return padding;
}

RsaSignature::PssDigests RsaSignature::pss_digests() {
  Name hash_name{};
  Name mgf1_name{};
  OSSL_PARAM request[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_SIGNATURE_PARAM_DIGEST, hash_name.data(), hash_name.size()),
      OSSL_PARAM_construct_utf8_string(OSSL_SIGNATURE_PARAM_MGF1_DIGEST, mgf1_name.data(), mgf1_name.size()),
      OSSL_PARAM_construct_end()};
  if (EVP_PKEY_CTX_get_params(parameters(), request) != 1) throw SoftwareFailure("EVP_PKEY_CTX_get_params");
  // A key that is bound to a digest has one without being told.
  const Digest* hash = digest() ? digest() : context().software().digest_named(hash_name.data());
  const Digest* mgf1 = context().software().digest_named(mgf1_name.data());
  if (hash && !mgf1) throw Error(Reason::unsupported, std::string("PSS with MGF1 over ") + mgf1_name.data());
  return {hash, mgf1};
}

Pss RsaSignature::pss() {
  int requested = 0;
  OSSL_PARAM request[] = {OSSL_PARAM_construct_int(OSSL_SIGNATURE_PARAM_PSS_SALTLEN, &requested),
                          OSSL_PARAM_construct_end()};
  if (EVP_PKEY_CTX_get_params(parameters(), request) != 1) throw SoftwareFailure("EVP_PKEY_CTX_get_params");
  const auto [hash, mgf1] = pss_digests();
  if (!hash) throw Error(Reason::unsupported, "PSS without a digest");
  const auto modulus_bits = static_cast<std::size_t>(EVP_PKEY_get_bits(key().software()));
  const std::size_t salt = salt_length(requested, modulus_bits, *hash);
  if (salt < shortest_salt(key()))
    throw Error(Reason::unsupported, "PSS: the key's parameters ask for a longer salt");
  return {hash, mgf1, salt};
}

// Tokens differ in whether MGF1 may be over another hash function than the message; SoftHSM refuses it at
// C_SignInit. Keystay encodes such a signature itself, where the token does the bare operation.
void RsaSignature::require_possible() {
  if (padding() != RSA_PKCS1_PSS_PADDING) return;
  if (!digest()) return;  // it is still to come
  const auto [hash, mgf1] = pss_digests();
  if (hash == mgf1) return;
  auto& token = key().on_token()->operations();
  if (token.supports(pkcs11::Sign{pkcs11::RsaX509{}})) return;
  throw Error(Reason::unsupported, "PSS with " + std::string(hash->name) + " and MGF1 over " +
                                       std::string(mgf1->name) + ": " + token.name() +
                                       " does not have CKM_RSA_X_509, by which Keystay would sign that; let "
                                       "rsa_mgf1_md be the digest");
}

std::optional<std::size_t> RsaSignature::sign_on_token(ByteView digest_bytes,
                                                       std::span<std::uint8_t> signature) {
  switch (padding()) {
    case RSA_PKCS1_PADDING:
      return sign_digest_info(digest_bytes, signature);
    case RSA_PKCS1_PSS_PADDING:
      return sign_pss(digest_bytes, signature);
    case RSA_NO_PADDING:
      if (digest_bytes.size() != signature_size()) {
        throw Error(Reason::unsupported,
                    "RSA without padding signs exactly as many bytes as the modulus has");
      }
      return key().perform(pkcs11::Sign{pkcs11::RsaX509{}}, digest_bytes, signature);
    default:
      throw Error(Reason::unsupported, "this RSA padding; use pkcs1, pss or none");
  }
}

std::optional<std::size_t> RsaSignature::sign_pss(ByteView digest_bytes, std::span<std::uint8_t> signature) {
  const Pss scheme = pss();
  if (digest_bytes.size() != scheme.hash->size)
    throw Error(Reason::unsupported,
                "PSS: a digest of another length than " + std::string(scheme.hash->name));
  return key().perform(scheme, digest_bytes, signature);
}

// Without a digest the data is signed as it is, as the default provider does.
std::optional<std::size_t> RsaSignature::sign_digest_info(ByteView digest_bytes,
                                                          std::span<std::uint8_t> signature) const {
  std::array<std::uint8_t, 128> digest_info;
  if (digest()) {
    const auto prefix = digest()->digest_info;
    const auto end = std::copy(digest_bytes.begin(), digest_bytes.end(),
                               std::copy(prefix.begin(), prefix.end(), digest_info.begin()));
    digest_bytes = {digest_info.begin(), end};
  }
  if (digest_bytes.size() + kPkcs1Overhead > signature_size()) {
    throw Error(Reason::unsupported, "PKCS#1 v1.5: the data is too long for this RSA key");
  }
  return key().perform(pkcs11::Sign{pkcs11::RsaPkcs{}}, digest_bytes, signature);
}

}  // namespace keystay::provider
