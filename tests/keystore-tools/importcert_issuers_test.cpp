// -importcert where the chain has several ways to a root, or none: cross-signed, expired, and misnamed
// issuers.
#include <algorithm>

#include "tests/keystore-tools/importcert_test.h"
#include "tests/support/test_party.h"

namespace keystay::tools {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class CrossSignedTest : public ImportCertTest {
 protected:
  // A leaf for the key of the alias, by the intermediate.
  std::string leaf(const std::string& alias) {
    const test::Party subject("localhost", test::key_of_request(done({"-certreq", "-alias", alias})));
    return certificate(subject, middle_, test::end_entity());
  }

  test::Party middle_{"middle"};
  test::Party root_{"root"};
  test::Party old_{"old root"};
  std::string by_root_ = certificate(middle_, root_);
  std::string root_itself_ = certificate(root_, root_);
  std::string crossed_ = certificate(root_, old_, test::expired());
  std::string old_itself_ = certificate(old_, old_, test::expired());
};

TEST_F(CrossSignedTest, AReplyWithTheExpiredOldRootIsImportedWithTheNewOne) {
  make_alias("httpd");
  const std::string leaf = this->leaf("httpd");
  for (const std::string& issuers :
       {by_root_ + root_itself_ + crossed_ + old_itself_, old_itself_ + crossed_ + root_itself_ + by_root_}) {
    done({"-importcert", "-alias", "httpd", "-file", write("reply.pem", leaf + issuers)});
    EXPECT_EQ(chain("httpd"), leaf + by_root_ + root_itself_);
  }
}

TEST_F(CrossSignedTest, ARenewalIsImportedThoughTheTokenHasTheExpiredIssuers) {
  make_alias("httpd");
  int number = 0;
  for (const std::string& pem : {crossed_, old_itself_, root_itself_}) {
    done({"-importcert", "-noprompt", "-allowexpired", "-alias", "issuer " + std::to_string(++number),
          "-file", write("issuer.pem", pem)});
  }
  const std::string leaf = this->leaf("httpd");
  done({"-importcert", "-alias", "httpd", "-file", write("reply.pem", leaf + by_root_)});
  EXPECT_EQ(chain("httpd"), leaf + by_root_ + root_itself_);
}

TEST_F(CrossSignedTest, WhereTheOnlyIssuersOnTheTokenHaveExpiredThatIsNoted) {
  make_alias("httpd");
  done({"-importcert", "-noprompt", "-allowexpired", "-alias", "crossed", "-file", write("a.pem", crossed_)});
  const std::string leaf = this->leaf("httpd");
  const test::Outcome outcome =
      keystay({"-importcert", "-alias", "httpd", "-file", write("reply.pem", leaf + by_root_)});
  EXPECT_TRUE(outcome.ok()) << outcome;
  EXPECT_THAT(outcome.error, HasSubstr("the issuer \"CN=root\" on the token expired on"));
}

TEST_F(CrossSignedTest, AReplyOfExpiredIssuersOnlyIsRefused) {
  make_alias("httpd");
  const std::string leaf = this->leaf("httpd");
  refused(1, HasSubstr("certificate \"CN=root\" in the chain of"),
          {"-importcert", "-alias", "httpd", "-file", write("reply.pem", leaf + by_root_ + crossed_)});
}

TEST_F(CrossSignedTest, AnIssuerWhoseNameIsWrittenInAnotherWayIsPartOfTheChain) {
  make_alias("httpd");
  const std::string leaf = this->leaf("httpd");
  const std::string middle = certificate(middle_, root_, {.subject = {"Middle ", 19}});
  done({"-importcert", "-alias", "httpd", "-file", write("reply.pem", leaf + middle + root_itself_)});
  EXPECT_EQ(chain("httpd"), leaf + middle + root_itself_);
}

// Each of the two has certified the other, and nobody itself.
TEST_F(CrossSignedTest, AChainWithoutARootSaysThatItGoesInACircle) {
  make_alias("httpd");
  const std::string leaf = this->leaf("httpd");
  const std::string circle = certificate(middle_, root_) + certificate(root_, middle_);
  const test::Outcome outcome =
      keystay({"-importcert", "-alias", "httpd", "-file", write("reply.pem", leaf + circle)});
  EXPECT_TRUE(outcome.ok()) << outcome;
  EXPECT_THAT(outcome.error,
              AllOf(HasSubstr("its CAs have certified each other"), Not(HasSubstr("neither in"))));
}

TEST_F(CrossSignedTest, AnIssuerOfTheNameWithAnotherKeyIsNotSaidToBeAbsent) {
  make_alias("httpd");
  const std::string impostor = certificate(test::Party("middle"), root_);
  const test::Outcome outcome =
      keystay({"-importcert", "-alias", "httpd", "-file", write("reply.pem", leaf("httpd") + impostor)});
  EXPECT_TRUE(outcome.ok()) << outcome;
  EXPECT_THAT(outcome.error, AllOf(HasSubstr("issuer \"CN=middle\" in the reply has another key"),
                                   Not(HasSubstr("neither in"))));
}

TEST_F(CrossSignedTest, AFileOfManyCertificatesMakesFewNotes) {
  make_alias("httpd");
  std::string file = leaf("httpd") + by_root_ + root_itself_;
  for (int i = 0; i < 40; ++i) {
    const test::Party stranger("stranger " + std::to_string(i), old_.key);
    file += certificate(stranger, old_) + "-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n";
  }
  const test::Outcome outcome = keystay({"-importcert", "-alias", "httpd", "-file", write("many.pem", file)});
  EXPECT_TRUE(outcome.ok()) << outcome;
  EXPECT_THAT(outcome.error, AllOf(HasSubstr("\"CN=stranger 4\" and 35 more are not part of the chain"),
                                   HasSubstr("\"X509 CRL\""), HasSubstr(", 40 times")));
  EXPECT_LE(std::ranges::count(outcome.error, '\n'), 4);
  make_alias("other");
  refused(1, HasSubstr(" and 38 more; import the reply"),
          {"-importcert", "-alias", "other", "-file", write("others.pem", file)});
}

// As a private CA's first attempts are.
TEST_F(CrossSignedTest, SaysThatAnIssuerIsNoCa) {
  make_alias("httpd");
  const test::Party issuer("no authority");
  const test::Party subject("localhost", test::key_of_request(done({"-certreq", "-alias", "httpd"})));
  const std::string reply =
      certificate(subject, issuer, test::end_entity()) + certificate(issuer, issuer, test::end_entity());
  const test::Outcome outcome =
      keystay({"-importcert", "-alias", "httpd", "-file", write("reply.pem", reply)});
  EXPECT_TRUE(outcome.ok()) << outcome;
  EXPECT_THAT(outcome.error, HasSubstr("note: the issuer \"CN=no authority\" in the chain is no CA"));
}

}  // namespace
}  // namespace keystay::tools
