// What somebody else left on libcrypto's error queue is in none of our messages, and is still there
// afterwards.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/err.h>

#include "native/x509/certificate_bundle.h"
#include "native/x509/distinguished_name.h"
#include "native/x509/error.h"
#include "native/x509/extension.h"
#include "native/x509/pem_reference.h"
#include "native/x509/public_key.h"

namespace keystay::x509 {
namespace {

using testing::HasSubstr;
using testing::Not;

class ErrorsSetAsideTest : public testing::Test {
 protected:
  void SetUp() override {
    ERR_clear_error();
    ERR_raise_data(ERR_LIB_CRYPTO, ERR_R_PASSED_NULL_PARAMETER, "of %s", "the application");
    ERR_raise(ERR_LIB_DSO, ERR_R_INTERNAL_ERROR);
  }
  void TearDown() override { ERR_clear_error(); }

  template <typename Attempt>
  void fails_alone(const Attempt& attempt) {
    try {
      attempt();
      ADD_FAILURE() << "it did not fail";
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), Not(HasSubstr("null parameter")));
      EXPECT_THAT(error.what(), Not(HasSubstr("passed a null")));
    }
    const char* text = nullptr;
    int flags = 0;
    const unsigned long oldest = ERR_peek_error_all(nullptr, nullptr, nullptr, &text, &flags);
    EXPECT_EQ(ERR_GET_LIB(oldest), ERR_LIB_CRYPTO);
    EXPECT_EQ(ERR_GET_REASON(oldest), ERR_R_PASSED_NULL_PARAMETER);
    EXPECT_STREQ(text, "of the application");
    EXPECT_EQ(ERR_GET_LIB(ERR_peek_last_error()), ERR_LIB_DSO);
  }
};

TEST_F(ErrorsSetAsideTest, ByEveryReaderOfOutsideBytes) {
  fails_alone([] { (void)parse_extension("san=ip:300.1.1.1"); });
  fails_alone([] { (void)parse_name("C=DEU"); });
  fails_alone([] { (void)decode_name({}); });
  fails_alone(
      [] { (void)read_certificates("-----BEGIN CERTIFICATE-----\n????\n-----END CERTIFICATE-----\n"); });
  fails_alone([] { (void)decode_reference({}); });
  fails_alone([] { (void)from_spki({}); });
}

}  // namespace
}  // namespace keystay::x509
