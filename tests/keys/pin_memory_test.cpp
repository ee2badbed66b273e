// A PIN stands in pages of its own, which no core file shows, and nowhere else in the process.
#include <string.h>

#include "native/keys/key_store.h"
#include "native/keys/tokens.h"
#include "native/x509/openssl_pkix.h"
#include "tests/keys/key_store_test.h"
#include "tests/support/process_memory.h"

namespace keystay::keys {
namespace {

// Backwards: this program holds the PIN nowhere. One fits into a std::string itself, one does not.
constexpr std::string_view kShort = "9-trohs-NIP";
constexpr std::string_view kLong = "7153-gnirts-a-otni-tif-ton-seod-taht-NIP";

class PinMemory : public testing::TestWithParam<std::string_view> {
 protected:
  void SetUp() override {
    if (const std::string why = test::why_memory_is_not_searched(); !why.empty()) GTEST_SKIP() << why;
  }

  [[nodiscard]] std::string uri_before_pin() const {
    return "pkcs11:token=web;object=httpd?module-path=" + hsm_.module().string() + "&pin-value=";
  }

  // The URI without the zero byte behind it.
  static std::string_view text(const pkcs11::WipedText& uri) {
    return uri.view().substr(0, uri.view().size() - 1);
  }

  test::SoftHsmToken hsm_{"web"};
};

// That the search finds what it is to find.
TEST_P(PinMemory, IsSearchedWhole) {
  EXPECT_EQ(test::times_in_memory(GetParam()), 0U);
  std::string copy(GetParam().rbegin(), GetParam().rend());
  EXPECT_EQ(test::times_in_memory(GetParam()), 1U);
  ::explicit_bzero(copy.data(), copy.size());
  EXPECT_EQ(test::times_in_memory(GetParam()), 0U);
}

TEST_P(PinMemory, OfAPinValueHoldsItInPagesOfItsOwnOnly) {
  hsm_.pkcs11_tool({"--keypairgen", "--key-type", "EC:prime256v1", "--label", "httpd", "--id", "01"});
  test::set_secret_pin(hsm_, GetParam());
  {
    const pkcs11::WipedText uri = test::with_secret(uri_before_pin(), GetParam());
    EXPECT_EQ(test::times_in_memory(GetParam()), 1U) << "the caller's own";
    Tokens tokens({}, nullptr);
    const KeyLocation location = tokens.locate(text(uri));
    const x509::OpenSslPkix pkix;
    const std::optional<Entry> entry = KeyStore(location.source, pkix).find("httpd");
    ASSERT_TRUE(entry);
    EXPECT_EQ(test::times_in_memory(GetParam()), 1U) << "the caller's own";
  }
  EXPECT_EQ(test::times_in_memory(GetParam()), 0U);
}

TEST_P(PinMemory, OfAWrongPinValueHoldsItInPagesOfItsOwnOnly) {
  {
    const pkcs11::WipedText uri = test::with_secret(uri_before_pin(), GetParam());
    Tokens tokens({}, nullptr);
    EXPECT_THROW((void)tokens.locate(text(uri)).source->info(), pkcs11::Error);
  }
  EXPECT_EQ(test::times_in_memory(GetParam()), 0U);
}

TEST_P(PinMemory, OfAUriThatIsRefusedHoldsNoPin) {
  for (const char* wrong : {"pkcs11:token=web?pin-value=", "pkcs11:token=web?pin-source=file:/x&pin-value=",
                            "pkcs11:token=web;token=web?pin-value="}) {
    {
      const pkcs11::WipedText uri = test::with_secret(wrong, GetParam());
      Tokens tokens({}, nullptr);
      EXPECT_ANY_THROW((void)tokens.locate(text(uri))) << wrong;
    }
    EXPECT_EQ(test::times_in_memory(GetParam()), 0U) << wrong;
  }
}

INSTANTIATE_TEST_SUITE_P(Lengths, PinMemory, testing::Values(kShort, kLong),
                         [](const auto& pin) { return pin.param == kShort ? "short" : "long"; });

}  // namespace
}  // namespace keystay::keys
