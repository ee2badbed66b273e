#include "native/x509/self_signed_certificate.h"

#include <gmock/gmock.h>

#include "native/x509/distinguished_name.h"
#include "native/x509/pem.h"
#include "tests/support/process.h"
#include "tests/x509/fixture.h"

namespace keystay::x509 {
namespace {

using std::chrono::days;
using std::chrono::system_clock;
using testing::HasSubstr;

class SelfSignedCertificate : public TokenKeyTest, public testing::WithParamInterface<const char*> {
 protected:
  static RequestContent content(const std::vector<std::string>& extensions = {}) {
    return {.subject = parse_name("CN=localhost, C=DE"), .extensions = extensions, .signature_algorithm = {}};
  }
  static std::chrono::sys_seconds now() {
    return std::chrono::floor<std::chrono::seconds>(system_clock::now());
  }
};

TEST_P(SelfSignedCertificate, IsVerifiedByTheOpensslProgram) {
  const keys::Certificate certificate =
      self_signed_certificate(key(GetParam()), content({"san=dns:localhost"}), {now(), days(30)});
  const auto file = softhsm_.directory().write("leaf.pem", to_pem(kCertificateLabel, certificate.der));
  const test::Outcome outcome = test::run(
      {"openssl", "verify", "-x509_strict", "-check_ss_sig", "-partial_chain", "-CAfile", file, file});
  EXPECT_TRUE(outcome.ok()) << outcome;
}

INSTANTIATE_TEST_SUITE_P(All, SelfSignedCertificate, testing::Values("RSA", "EC", "Ed25519"),
                         [](const auto& test) { return test.param; });

using SelfSigned = SelfSignedCertificate;

TEST_F(SelfSigned, SaysWhatWasOrdered) {
  const keys::PrivateKey ec = key("EC");
  const auto start = now() - days(1);
  const keys::Certificate certificate =
      self_signed_certificate(ec, content({"san=ip:127.0.0.1", "bc:critical=ca:false"}), {start, days(30)});
  EXPECT_EQ(certificate.not_before, start);
  EXPECT_EQ(certificate.not_after, start + days(30));
  EXPECT_EQ(certificate.public_key, ec.public_key());
  EXPECT_TRUE(certificate.self_issued());
  EXPECT_EQ(format_name(certificate.subject), "CN=localhost, C=DE");
  const std::string text = test::run_or_throw({"openssl", "x509", "-noout", "-text"},
                                              {.input = to_pem(kCertificateLabel, certificate.der)});
  EXPECT_THAT(text, HasSubstr("Version: 3"));
  EXPECT_THAT(text, HasSubstr("IP Address:127.0.0.1"));
  EXPECT_THAT(text, HasSubstr("Basic Constraints: critical"));
}

TEST_F(SelfSigned, HasAPositiveSerialNumberOfItsOwn) {
  const keys::PrivateKey ec = key("EC");
  const keys::Certificate one = self_signed_certificate(ec, content(), {now(), days(1)});
  const keys::Certificate other = self_signed_certificate(ec, content(), {now(), days(1)});
  EXPECT_NE(one.serial_number, other.serial_number);
  EXPECT_EQ(one.serial_number.size(), 18U) << "INTEGER of 16 octets";
  EXPECT_LT(one.serial_number[2], 0x80);
}

TEST_F(SelfSigned, MayEndAfterTheYear2050) {
  const keys::Certificate certificate = self_signed_certificate(key("EC"), content(), {now(), days(36'500)});
  EXPECT_GT(certificate.not_after, now() + days(36'499));
}

}  // namespace
}  // namespace keystay::x509
