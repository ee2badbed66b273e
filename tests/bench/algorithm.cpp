#include "tests/bench/algorithm.h"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <string>

#include <openssl/rsa.h>

#include "tests/bench/openssl_error.h"

namespace keystay::bench {
namespace {

constexpr CK_ULONG kSha256Size = 32;

const std::array kAlgorithms{
    Algorithm{.name = "P-256",
              .alias = "bench-ec",
              .key_algorithm = "EC",
              .key_size = 0,
              .group_name = "secp256r1",
              .mechanism = pkcs11::Ecdsa{},
              .pss = false},
    Algorithm{.name = "RSA-2048",
              .alias = "bench-rsa",
              .key_algorithm = "RSA",
              .key_size = 2048,
              .group_name = "",
              .mechanism = pkcs11::RsaPkcs{},
              .pss = false},
    Algorithm{.name = "RSA-2048-PSS",
              .alias = "bench-rsa",
              .key_algorithm = "RSA",
              .key_size = 2048,
              .group_name = "",
              .mechanism = pkcs11::RsaPss{pkcs11::Hash::sha256, pkcs11::Hash::sha256, kSha256Size},
              .pss = true},
};

// The DER of DigestInfo up to the digest, for SHA-256 (RFC 8017, section 9.2, note 1).
constexpr std::array<std::uint8_t, 19> kSha256DigestInfo{0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60,
                                                         0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02,
                                                         0x01, 0x05, 0x00, 0x04, 0x20};

pkcs11::Bytes certificate_verify_content() {
  constexpr std::string_view kContext = "TLS 1.3, server CertificateVerify";
  constexpr std::size_t kSpaces = 64;
  pkcs11::Bytes content(kSpaces + kContext.size() + 1 + kSha256Size, 0x5a);
  const auto after_spaces = std::fill_n(content.begin(), kSpaces, std::uint8_t{' '});
  *std::copy(kContext.begin(), kContext.end(), after_spaces) = 0;
  return content;
}

}  // namespace

std::span<const Algorithm> algorithms() { return kAlgorithms; }

const Algorithm& algorithm(std::string_view name) {
  const auto found = std::find_if(kAlgorithms.begin(), kAlgorithms.end(),
                                  [&](const Algorithm& candidate) { return candidate.name == name; });
  if (found != kAlgorithms.end()) return *found;
  std::string names;
  for (const Algorithm& known : kAlgorithms) names += " " + std::string(known.name);
  throw std::invalid_argument("no algorithm " + std::string(name) + "; there are:" + names);
}

keys::KeySpec key_spec(const Algorithm& algorithm) {
  return keys::key_spec(algorithm.key_algorithm, algorithm.key_size, algorithm.group_name);
}

std::span<const std::uint8_t> message() {
  static const pkcs11::Bytes content = certificate_verify_content();
  return content;
}

pkcs11::Bytes to_be_signed(const Algorithm& algorithm, pkcs11::ByteView digest) {
  if (!std::holds_alternative<pkcs11::RsaPkcs>(algorithm.mechanism)) return {digest.begin(), digest.end()};
  pkcs11::Bytes digest_info(kSha256DigestInfo.size() + digest.size());
  const auto after_header =
      std::copy(kSha256DigestInfo.begin(), kSha256DigestInfo.end(), digest_info.begin());
  std::copy(digest.begin(), digest.end(), after_header);
  return digest_info;
}

void set_padding(const Algorithm& algorithm, EVP_PKEY_CTX* context) {
  if (!algorithm.pss) return;
  require(EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) > 0, "EVP_PKEY_CTX_set_rsa_padding");
  require(EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) > 0,
          "EVP_PKEY_CTX_set_rsa_pss_saltlen");
}

}  // namespace keystay::bench
