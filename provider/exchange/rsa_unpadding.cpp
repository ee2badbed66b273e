// The padding checks are public functions of libcrypto, if old ones.
#define OPENSSL_SUPPRESS_DEPRECATED

#include "provider/exchange/rsa_unpadding.h"

#include <algorithm>
#include <array>
#include <string_view>

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>

#include "native/x509/error_mark.h"
#include "provider/exchange/constant_time.h"
#include "provider/exchange/secret_bytes.h"

namespace keystay::provider {
namespace {

using pkcs11::ByteView;
using Message = std::span<std::uint8_t>;

int length(std::size_t size) { return static_cast<int>(size); }

// Negative if the padding is wrong; `message` is as it was then. Neither that nor the length may be branched
// upon.
int check_pkcs1(ByteView block, Message message) {
  const x509::ErrorMark wrong_padding_leaves_no_trace;
  return RSA_padding_check_PKCS1_type_2(message.data(), length(message.size()), block.data(),
                                        length(block.size()), length(block.size()));
}

std::size_t chosen(constant_time::Mask wrong, std::size_t substitute, int size) {
  return constant_time::select(wrong, static_cast<std::uint32_t>(substitute),
                               static_cast<std::uint32_t>(size));
}

// How long the substitute is: the last of many candidates that is short enough (as in
// draft-irtf-cfrg-rsa-guidance, section 7.2). That none is has the probability 2^-128.
constexpr std::size_t kCandidates = 128;

std::size_t substitute_length(ByteView candidates, std::size_t longest) {
  std::uint32_t mask = 1;
  while (mask < longest) mask = 2 * mask + 1;
  std::uint32_t result = 0;
  for (std::size_t i = 0; i < 2 * kCandidates; i += 2) {
    const std::uint32_t candidate = (std::uint32_t{candidates[i]} << 8 | candidates[i + 1]) & mask;
    const auto fits = constant_time::less(candidate, static_cast<std::uint32_t>(longest) + 1);
    result = constant_time::select(fits, candidate, result);
  }
  return result;
}

// What only the private key can know of a ciphertext is the block that it decrypts to. A hash of it is thus
// as unforeseeable as one keyed with the private exponent, which stays on the token, and the same in every
// process.
void expand(ByteView block, ByteView ciphertext, std::span<std::uint8_t> out, Software& software) {
  constexpr std::string_view kPurpose = "keystay RSAES-PKCS1-v1_5 implicit rejection";
  const x509::EvpMd shake(EVP_MD_fetch(software.libctx(), "SHAKE256", nullptr));
  const x509::EvpMdContext hash(EVP_MD_CTX_new());
  if (!shake || !hash || EVP_DigestInit_ex2(hash.get(), shake.get(), nullptr) != 1 ||
      EVP_DigestUpdate(hash.get(), kPurpose.data(), kPurpose.size()) != 1 ||
      EVP_DigestUpdate(hash.get(), block.data(), block.size()) != 1 ||
      EVP_DigestUpdate(hash.get(), ciphertext.data(), ciphertext.size()) != 1 ||
      EVP_DigestFinalXOF(hash.get(), out.data(), out.size()) != 1) {
    throw SoftwareFailure("EVP_DigestFinalXOF");
  }
}

}  // namespace

std::optional<std::size_t> unpad_oaep(ByteView block, const Oaep& oaep, Message message, Software& software) {
  const x509::ErrorMark wrong_padding_leaves_no_trace;
  const int size = RSA_padding_check_PKCS1_OAEP_mgf1(
      message.data(), length(message.size()), block.data(), length(block.size()), length(block.size()),
      oaep.label.data(), length(oaep.label.size()), software.fetch(*oaep.hash), software.fetch(*oaep.mgf1));
  if (size < 0) return std::nullopt;
  return static_cast<std::size_t>(size);
}

std::optional<std::size_t> unpad_pkcs1(ByteView block, Message message) {
  const int size = check_pkcs1(block, message);
  if (size < 0) return std::nullopt;
  return static_cast<std::size_t>(size);
}

std::size_t unpad_pkcs1_or_substitute(ByteView block, ByteView ciphertext, Message message,
                                      Software& software) {
  const std::size_t longest = block.size() - RSA_PKCS1_PADDING_SIZE;
  SecretBytes random(2 * kCandidates + longest);
  expand(block, ciphertext, random.bytes(), software);
  const ByteView substitute = random.bytes().subspan(2 * kCandidates);
  std::copy(substitute.begin(), substitute.end(), message.begin());
  const int size = check_pkcs1(block, message);
  return chosen(constant_time::is_negative(size), substitute_length(random.bytes(), longest), size);
}

void unpad_premaster(ByteView block, TlsVersions versions, std::span<std::uint8_t, kPremasterSize> premaster,
                     Software& software) {
  using namespace constant_time;
  std::array<std::uint8_t, kPremasterSize> random;
  if (RAND_priv_bytes_ex(software.libctx(), random.data(), random.size(), 0) != 1)
    throw SoftwareFailure("RAND_priv_bytes_ex");
  SecretBytes message(block.size());
  const int size = check_pkcs1(block, message.bytes());
  const std::uint32_t stated = std::uint32_t{message.bytes()[0]} << 8 | message.bytes()[1];
  // RFC 5246 wants the version of ClientHello there; a wrong one is as bad as wrong padding (Klima, Pokorny,
  // Rosa). Zero is no version.
  const Mask negotiated = equal(stated, versions.negotiated) & ~is_zero(versions.negotiated);
  const Mask right =
      equal(static_cast<std::uint32_t>(size), kPremasterSize) & (equal(stated, versions.client) | negotiated);
  for (std::size_t i = 0; i < premaster.size(); ++i) {
    premaster[i] = static_cast<std::uint8_t>(select(right, message.bytes()[i], random[i]));
  }
  OPENSSL_cleanse(random.data(), random.size());
}

}  // namespace keystay::provider
