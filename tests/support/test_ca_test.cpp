#include "tests/support/test_ca.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/process.h"

namespace keystay::test {
namespace {

using testing::HasSubstr;

// The openssl program is the judge of what the CA makes.
class TestCaTest : public testing::TestWithParam<KeyKind> {
 protected:
  std::string request() {
    const auto key = directory_.write("leaf.key", private_key_pem(generate_key(GetParam()).get()));
    return run_or_throw({"openssl", "req", "-new", "-key", key, "-subj", "/CN=www.example.org/O=Example"});
  }
  Outcome verify(const std::string& leaf) {
    return run({"openssl", "verify", "-x509_strict", "-purpose", "sslserver", "-CAfile",
                ca_.write_root(directory_), "-untrusted",
                directory_.write("intermediate.pem", ca_.intermediate_pem()),
                directory_.write("leaf.pem", leaf)});
  }

  TemporaryDirectory directory_;
  TestCa ca_{GetParam()};
};

TEST_P(TestCaTest, SignsARequestForTheNamesOrdered) {
  LeafOptions options;
  options.dns_names = {"www.example.org", "example.org"};
  const std::string leaf = ca_.sign(request(), options);
  EXPECT_TRUE(verify(leaf).ok()) << verify(leaf);
  const std::string text =
      run_or_throw({"openssl", "x509", "-noout", "-subject", "-nameopt", "RFC2253", "-ext", "subjectAltName"},
                   {.input = leaf});
  EXPECT_THAT(text, HasSubstr("O=Example,CN=www.example.org"));
  EXPECT_THAT(text, HasSubstr("DNS:www.example.org, DNS:example.org, IP Address:127.0.0.1"));
}

TEST_P(TestCaTest, SignsALeafThatHasExpired) {
  const Outcome outcome = verify(ca_.sign(request(), LeafOptions::expired()));
  EXPECT_FALSE(outcome.ok());
  EXPECT_THAT(outcome.error, HasSubstr("certificate has expired"));
}

TEST_P(TestCaTest, PutsTheIssuerAfterTheLeaf) {
  const std::string chain = ca_.sign_with_chain(request());
  EXPECT_TRUE(verify(chain).ok());
  EXPECT_THAT(chain, testing::EndsWith(ca_.intermediate_pem()));
}

TEST_P(TestCaTest, IssuesAnIdentityWhoseKeyFits) {
  const SoftwareIdentity identity = ca_.issue(GetParam());
  EXPECT_EQ(run_or_throw({"openssl", "pkey", "-pubout"}, {.input = identity.key_pem}),
            run_or_throw({"openssl", "x509", "-noout", "-pubkey"}, {.input = identity.chain_pem}));
}

TEST_P(TestCaTest, RefusesWhatIsNoRequest) {
  EXPECT_THROW((void)ca_.sign(ca_.root_pem()), std::runtime_error);
  EXPECT_THROW((void)ca_.sign(""), std::runtime_error);
}

INSTANTIATE_TEST_SUITE_P(Keys, TestCaTest, testing::Values(KeyKind::rsa, KeyKind::ec),
                         [](const auto& test) { return test.param == KeyKind::rsa ? "rsa" : "ec"; });

}  // namespace
}  // namespace keystay::test
