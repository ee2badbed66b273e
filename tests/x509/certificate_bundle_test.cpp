#include "native/x509/certificate_bundle.h"

#include <gmock/gmock.h>

#include "native/x509/error.h"
#include "native/x509/pem.h"
#include "tests/support/process.h"
#include "tests/support/test_ca.h"
#include "tests/x509/fixture.h"

namespace keystay::x509 {
namespace {

using keys::Certificate;
using testing::IsEmpty;
using testing::SizeIs;

class CertificateBundle : public CleanQueueTest {
 protected:
  Certificate one(std::string_view pem) { return read_certificates(pem).front(); }
  static std::string der(const Certificate& certificate) {
    return {certificate.der.begin(), certificate.der.end()};
  }

  OpenSslPkix pkix_;
  test::TestCa ca_;
  test::SoftwareIdentity identity_ = ca_.issue(test::KeyKind::ec);
  Certificate leaf_ = one(identity_.chain_pem);
  Certificate intermediate_ = one(ca_.intermediate_pem());
  Certificate root_ = one(ca_.root_pem());
};

std::vector<pkcs11::Bytes> ders(const std::vector<Certificate>& certificates) {
  std::vector<pkcs11::Bytes> result;
  for (const Certificate& certificate : certificates) result.push_back(certificate.der);
  return result;
}

TEST_F(CertificateBundle, ReadsPemInTheOrderOfTheFile) {
  EXPECT_EQ(ders(read_certificates(ca_.root_pem() + identity_.chain_pem)),
            ders({root_, leaf_, intermediate_}));
}

TEST_F(CertificateBundle, SkipsTextAndOtherBlocks) {
  EXPECT_EQ(ders(read_certificates("subject=CN = x\n\n" + identity_.key_pem + "# a note\n" + ca_.root_pem())),
            ders({root_}));
}

TEST_F(CertificateBundle, ReadsADuplicateOnce) {
  EXPECT_THAT(read_certificates(ca_.root_pem() + ca_.root_pem()), SizeIs(1));
}

TEST_F(CertificateBundle, ReadsOneDerCertificate) {
  EXPECT_EQ(ders(read_certificates(der(leaf_))), ders({leaf_}));
}

TEST_F(CertificateBundle, ReadsWhatCasSendAsP7b) {
  const test::TemporaryDirectory directory;
  const auto chain = directory.write("chain.pem", identity_.chain_pem);
  for (const char* form : {"PEM", "DER"}) {
    const std::string p7b =
        test::run_or_throw({"openssl", "crl2pkcs7", "-nocrl", "-certfile", chain, "-outform", form});
    EXPECT_THAT(ders(read_certificates(p7b)), testing::UnorderedElementsAre(leaf_.der, intermediate_.der))
        << form;
  }
}

TEST_F(CertificateBundle, RefusesAP7bWithoutCertificates) {
  for (const char* form : {"PEM", "DER"}) {
    const std::string p7b = test::run_or_throw({"openssl", "crl2pkcs7", "-nocrl", "-outform", form});
    EXPECT_THROW((void)read_certificates(p7b), Error) << form;
  }
}

TEST_F(CertificateBundle, RefusesAFileWithoutACertificate) {
  for (const std::string& text :
       {std::string(), std::string("hello"), identity_.key_pem, std::string("\x30\x00", 2)}) {
    EXPECT_THAT([&] { static_cast<void>(read_certificates(text)); },
                testing::ThrowsMessage<Error>(testing::StartsWith(
                    "there is no certificate in it: expected PEM, DER or PKCS #7 (.p7b)")));
  }
}

TEST_F(CertificateBundle, RefusesADamagedBlockRatherThanHalfAChain) {
  std::string cut = identity_.chain_pem;
  cut.resize(cut.size() - 40);
  EXPECT_THROW((void)read_certificates(cut), Error);
  const std::string wrong = to_pem(kCertificateLabel, pkcs11::Bytes{0x30, 0x00});
  EXPECT_THAT([&] { static_cast<void>(read_certificates(ca_.root_pem() + wrong)); },
              testing::ThrowsMessage<Error>("the PEM block \"CERTIFICATE\" holds no certificate"));
  EXPECT_THROW((void)read_certificates("-----BEGIN CERTIFICATE-----\nAAA\n-----END CERTIFICATE-----\n"),
               Error);
  ERR_clear_error();
}

TEST_F(CertificateBundle, HasACertificateThatOpensslTrusts) {
  const test::Outcome trusted =
      test::run({"openssl", "x509", "-trustout", "-addtrust", "serverAuth"}, {.input = ca_.root_pem()});
  ASSERT_THAT(trusted.output, testing::HasSubstr("BEGIN TRUSTED CERTIFICATE"));
  EXPECT_EQ(ders(read_certificates(trusted.output)), ders({root_}));
}

TEST_F(CertificateBundle, NamesTheBlocksThatAreNone) {
  EXPECT_THAT(read_bundle(identity_.key_pem + ca_.root_pem()).skipped, testing::ElementsAre("PRIVATE KEY"));
  EXPECT_THAT([&] { static_cast<void>(read_bundle(identity_.key_pem)); },
              testing::ThrowsMessage<Error>(testing::HasSubstr("what is there is: PRIVATE KEY")));
}

TEST_F(CertificateBundle, IsOrderedFromTheLeafUpwards) {
  const auto [chain, unrelated] = order_chain({root_, intermediate_, leaf_}, *leaf_.public_key, pkix_);
  EXPECT_EQ(ders(chain), ders({leaf_, intermediate_, root_}));
  EXPECT_THAT(unrelated, IsEmpty());
}

TEST_F(CertificateBundle, EndsAtTheLastIssuerThatIsThere) {
  const auto [chain, unrelated] = order_chain({root_, leaf_}, *leaf_.public_key, pkix_);
  EXPECT_EQ(ders(chain), ders({leaf_}));
  EXPECT_EQ(ders(unrelated), ders({root_}));
}

TEST_F(CertificateBundle, DoesNotTakeAnIssuerOfTheRightNameAndAnotherKey) {
  const test::TestCa namesake;
  const Certificate wrong = one(namesake.intermediate_pem());
  ASSERT_EQ(wrong.subject, intermediate_.subject);
  const auto [chain, unrelated] = order_chain({leaf_, wrong, intermediate_}, *leaf_.public_key, pkix_);
  EXPECT_EQ(ders(chain), ders({leaf_, intermediate_}));
  EXPECT_EQ(ders(unrelated), ders({wrong}));
}

TEST_F(CertificateBundle, HasNoChainForAnotherKey) {
  const auto [chain, unrelated] = order_chain({leaf_, intermediate_}, *root_.public_key, pkix_);
  EXPECT_THAT(chain, IsEmpty());
  EXPECT_THAT(unrelated, SizeIs(2));
}

}  // namespace
}  // namespace keystay::x509
