// The provider signs with keys of a source of any kind.
#include <openssl/provider.h>

#include "provider/context.h"
#include "tests/provider/provider_test.h"
#include "tests/provider/signing.h"
#include "tests/support/planned_source.h"

extern "C" int OSSL_provider_init(const OSSL_CORE_HANDLE*, const OSSL_DISPATCH*, const OSSL_DISPATCH**,
                                  void**);

namespace keystay::test {
namespace {

// The provider is part of this program, so that a test can give it a source that no configuration names.
class SourceTest : public ProviderTest {
 protected:
  SourceTest() {
    keys::Tokens& tokens =
        static_cast<provider::Context*>(OSSL_PROVIDER_get0_provider_ctx(keystay_.get()))->tokens();
    tokens.add("planned", std::make_shared<PlannedSource>(tokens.source("web"), plan_));
  }

  [[nodiscard]] EvpPkey load(const char* uri) const {
    const Owned<OSSL_STORE_CTX, OSSL_STORE_close> store(
        OSSL_STORE_open_ex(uri, libctx_.get(), nullptr, nullptr, nullptr, nullptr, nullptr, nullptr));
    if (!store || OSSL_STORE_expect(store.get(), OSSL_STORE_INFO_PKEY) != 1) return {};
    const Owned<OSSL_STORE_INFO, OSSL_STORE_INFO_free> info(OSSL_STORE_load(store.get()));
    return EvpPkey(info ? OSSL_STORE_INFO_get1_PKEY(info.get()) : nullptr);
  }

  [[nodiscard]] std::optional<pkcs11::Bytes> sign(EVP_PKEY* key) const {
    const EvpMdContext context(EVP_MD_CTX_new());
    std::size_t size = 0;
    const auto message = bytes_of("planned");
    if (EVP_DigestSignInit_ex(context.get(), nullptr, "SHA256", libctx_.get(), nullptr, key, nullptr) != 1 ||
        EVP_DigestSign(context.get(), nullptr, &size, message.data(), message.size()) != 1)
      return std::nullopt;
    pkcs11::Bytes signature(size);
    if (EVP_DigestSign(context.get(), signature.data(), &size, message.data(), message.size()) != 1)
      return std::nullopt;
    signature.resize(size);
    return signature;
  }

  std::shared_ptr<Plan> plan_ = std::make_shared<Plan>();
  Owned<OSSL_LIB_CTX, OSSL_LIB_CTX_free> libctx_{OSSL_LIB_CTX_new()};
  Owned<OSSL_PROVIDER, OSSL_PROVIDER_unload> default_{OSSL_PROVIDER_load(libctx_.get(), "default")};
  int added_ = OSSL_PROVIDER_add_builtin(libctx_.get(), "keystay", OSSL_provider_init);
  Owned<OSSL_PROVIDER, OSSL_PROVIDER_unload> keystay_{OSSL_PROVIDER_load(libctx_.get(), "keystay")};
};

TEST_F(SourceTest, OfAnotherKindSignsWhereItsNameStandsInTheUri) {
  const EvpPkey key = load("keystay:planned/ec");
  ASSERT_TRUE(key) << take_errors();
  const auto signature = sign(key.get());
  ASSERT_TRUE(signature) << take_errors();
  EXPECT_TRUE(verifies(public_key("ec").get(), "SHA256", bytes_of("planned"), *signature));
  EXPECT_EQ(plan_->signatures, 1);
  plan_->delay = std::chrono::milliseconds(20);
  EXPECT_TRUE(sign(key.get())) << "slowly: " << take_errors();
}

TEST_F(SourceTest, ThatFailsByPlanIsAnErrorThatNamesIt) {
  const EvpPkey key = load("keystay:planned/ec");
  ASSERT_TRUE(key) << take_errors();
  plan_->failure = CKR_DEVICE_REMOVED;
  EXPECT_FALSE(sign(key.get()));
  EXPECT_THAT(take_errors(), testing::HasSubstr("CKR_DEVICE_REMOVED"));
  EXPECT_FALSE(load("keystay:planned/ec"));
  EXPECT_THAT(take_errors(), testing::HasSubstr("CKR_DEVICE_REMOVED"));
  plan_->failure = CKR_OK;
  EXPECT_TRUE(sign(key.get())) << take_errors();
}

}  // namespace
}  // namespace keystay::test
