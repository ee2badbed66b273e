// SipHash as libcrypto computes it, and as its paper does.
#include "native/pkcs11/siphash.h"

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include <gtest/gtest.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

namespace keystay::pkcs11 {
namespace {

constexpr SipHashKey kKey{0x0706050403020100, 0x0f0e0d0c0b0a0908};

// Of libcrypto, with the bytes 00 … 0f as the key.
std::uint64_t witness(const std::vector<std::uint8_t>& message) {
  std::array<std::uint8_t, 16> key{};
  for (std::size_t i = 0; i < key.size(); ++i) key[i] = static_cast<std::uint8_t>(i);
  std::size_t size = 8;
  const std::array parameters{OSSL_PARAM_construct_size_t(OSSL_MAC_PARAM_SIZE, &size),
                              OSSL_PARAM_construct_end()};
  const std::unique_ptr<EVP_MAC, void (*)(EVP_MAC*)> mac(EVP_MAC_fetch(nullptr, "SIPHASH", nullptr),
                                                         EVP_MAC_free);
  const std::unique_ptr<EVP_MAC_CTX, void (*)(EVP_MAC_CTX*)> context(EVP_MAC_CTX_new(mac.get()),
                                                                     EVP_MAC_CTX_free);
  std::array<std::uint8_t, 8> tag{};
  std::size_t length = 0;
  EXPECT_EQ(EVP_MAC_init(context.get(), key.data(), key.size(), parameters.data()), 1);
  EXPECT_EQ(EVP_MAC_update(context.get(), message.data(), message.size()), 1);
  EXPECT_EQ(EVP_MAC_final(context.get(), tag.data(), &length, tag.size()), 1);
  EXPECT_EQ(length, tag.size());
  std::uint64_t word = 0;
  for (std::size_t i = 0; i < tag.size(); ++i) word |= std::uint64_t{tag[i]} << (8 * i);
  return word;
}

TEST(SipHash, IsThatOfLibcrypto) {
  std::vector<std::uint8_t> message;
  for (int size = 0; size < 70; ++size) {
    EXPECT_EQ(siphash(kKey, message), witness(message)) << size << " bytes";
    message.push_back(static_cast<std::uint8_t>(3 * size));
  }
}

// Appendix A of the paper.
TEST(SipHash, IsThatOfThePaper) {
  std::array<std::uint8_t, 15> message{};
  for (std::size_t i = 0; i < message.size(); ++i) message[i] = static_cast<std::uint8_t>(i);
  EXPECT_EQ(siphash(kKey, message), 0xa129ca6149be45e5u);
}

}  // namespace
}  // namespace keystay::pkcs11
