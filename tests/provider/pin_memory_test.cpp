// A PIN in a URI stands in no memory of a server that a core file shows, however the URI comes in.
#include <string>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include "tests/provider/provider_test.h"
#include "tests/provider/signing.h"
#include "tests/support/process_memory.h"

namespace keystay::test {
namespace {

constexpr std::string_view kPin = "7153-gnirts-a-otni-tif-ton-seod-taht-NIP";  // backwards

class PinMemoryTest : public ProviderTest {
 protected:
  void SetUp() override {
    if (const std::string why = test::why_memory_is_not_searched(); !why.empty()) GTEST_SKIP() << why;
    before_ = times_in_memory(kPin);
  }

  static void SetUpTestSuite() {
    ProviderTest::SetUpTestSuite();
    set_secret_pin(token(), kPin);
  }

  // libcrypto itself copies the first 256 characters of a URI to its stack, and leaves them there. The whole
  // URI stands in an error of OSSL_STORE_open, which looks for a file of that name first, and frees it so.
  [[nodiscard]] static pkcs11::WipedText uri(std::string_view alias) {
    std::string module = "/";
    while (module.size() < 300) module += "./";
    module += token().module().relative_path().string();
    return with_secret(
        "pkcs11:token=web;object=" + std::string(alias) + "?module-path=" + module + "&pin-value=", kPin);
  }

  LibraryContext context_;
  std::size_t before_ = 0;  // libcrypto's, of the tests before
};

TEST_F(PinMemoryTest, OfAStoreUri) {
  EvpPkey key;
  {
    const pkcs11::WipedText name = uri("ec");
    const Owned<OSSL_STORE_CTX, OSSL_STORE_close> store(OSSL_STORE_open_ex(
        name.view().data(), context_.get(), nullptr, nullptr, nullptr, nullptr, nullptr, nullptr));
    ASSERT_TRUE(store) << take_errors();
    before_ = times_in_memory(kPin) - 2;  // without the caller's and the loader's
    ASSERT_EQ(OSSL_STORE_expect(store.get(), OSSL_STORE_INFO_PKEY), 1);
    const Owned<OSSL_STORE_INFO, OSSL_STORE_INFO_free> info(OSSL_STORE_load(store.get()));
    ASSERT_TRUE(info) << take_errors();
    key.reset(OSSL_STORE_INFO_get1_PKEY(info.get()));
  }
  ASSERT_TRUE(key);
  EXPECT_LE(times_in_memory(kPin), before_);
  EXPECT_TRUE(sign(context_, key.get(), "SHA256", bytes_of("message"))) << take_errors();
  EXPECT_LE(times_in_memory(kPin), before_);
}

TEST_F(PinMemoryTest, OfTheTargetOfANewKey) {
  {
    pkcs11::WipedText target = uri("made");
    const Owned<EVP_PKEY_CTX, EVP_PKEY_CTX_free> generation(
        EVP_PKEY_CTX_new_from_name(context_.get(), "EC", "provider=keystay"));
    ASSERT_EQ(EVP_PKEY_keygen_init(generation.get()), 1) << take_errors();
    std::string group = "P-256";
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group.data(), 0),
        OSSL_PARAM_construct_utf8_string("pkcs11_uri", target.data(), 0), OSSL_PARAM_construct_end()};
    ASSERT_EQ(EVP_PKEY_CTX_set_params(generation.get(), params), 1) << take_errors();
    EVP_PKEY* made = nullptr;
    ASSERT_EQ(EVP_PKEY_generate(generation.get(), &made), 1) << take_errors();
    const EvpPkey key(made);
  }
  EXPECT_LE(times_in_memory(kPin), before_);
}

// The form of pkcs11-provider: SEQUENCE { VisibleString, UTF8String }, both shorter than 64 KiB.
TEST_F(PinMemoryTest, OfAPemReference) {
  const auto element = [](std::uint8_t tag, std::size_t size) {
    return std::string{static_cast<char>(tag), '\x82', static_cast<char>(size >> 8), static_cast<char>(size)};
  };
  std::string pem = "-----BEGIN PKCS#11 PROVIDER URI-----\n";
  {
    const pkcs11::WipedText name = uri("ec");
    const std::size_t size = name.view().size() - 1;
    const std::string description = "PKCS#11 Provider URI v1.0";
    const std::string inner = element(0x1A, description.size()) + description + element(0x0C, size);
    const std::string before = element(0x30, inner.size() + size) + inner;
    pkcs11::WipedText der(before.size() + size);
    name.view().copy(std::copy(before.begin(), before.end(), der.data()), size);
    std::string base64(4 * (der.view().size() + 2) / 3 + 4, '\0');
    base64.resize(static_cast<std::size_t>(EVP_EncodeBlock(reinterpret_cast<unsigned char*>(base64.data()),
                                                           reinterpret_cast<const unsigned char*>(der.data()),
                                                           static_cast<int>(der.view().size()))));
    for (std::size_t at = 0; at < base64.size(); at += 64) pem.append(base64, at, 64).append("\n");
  }
  pem += "-----END PKCS#11 PROVIDER URI-----\n";
  ASSERT_EQ(times_in_memory(kPin), before_);
  const EvpPkey key = context_.read_pem(pem);
  ASSERT_TRUE(key) << take_errors();
  EXPECT_LE(times_in_memory(kPin), before_);
  EXPECT_TRUE(sign(context_, key.get(), "SHA256", bytes_of("message"))) << take_errors();
  EXPECT_LE(times_in_memory(kPin), before_);
}

}  // namespace
}  // namespace keystay::test
