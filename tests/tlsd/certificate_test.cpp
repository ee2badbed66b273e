// Loading certificates through OpenSSL's store, and proving that their keys sign.
#include "tlsd/tls/certificate.h"

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/pem.h>

#include "tests/support/process.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/test_party.h"
#include "tests/tlsd/test_server.h"
#include "tlsd/tls/library_context.h"
#include "tlsd/tls/openssl_error.h"
#include "tlsd/tls/test_signature.h"

namespace keystay::tlsd {
namespace {

using test::KeyKind;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

class CertificateTest : public testing::Test {
 protected:
  std::string write(const std::string& text) { return directory_.write("test.pem", text).string(); }

  std::string failure(const std::string& name) {
    try {
      static_cast<void>(load_certificate(library_.get(), name));
    } catch (const CryptoError& error) {
      return error.what();
    }
    return "loaded";
  }

  LibraryContext library_;
  test::TemporaryDirectory directory_;
  const test::TestCa& ca_ = test::test_ca();
};

TEST_F(CertificateTest, HasItsKeyChainAndNamesInLowerCase) {
  test::LeafOptions options;
  options.dns_names = {"www.Example.com", "*.example.com"};
  const auto identity = ca_.issue(KeyKind::rsa, options);
  const Certificate certificate =
      load_certificate(library_.get(), write(identity.key_pem + identity.chain_pem));
  EXPECT_THAT(certificate.dns_names, ElementsAre("www.example.com", "*.example.com"));
  EXPECT_EQ(sk_X509_num(certificate.chain.get()), 1);
  EXPECT_TRUE(EVP_PKEY_is_a(certificate.key.get(), "RSA"));
  EXPECT_FALSE(certificate.on_token());
  EXPECT_NO_THROW(make_test_signature(library_.get(), certificate));
}

TEST_F(CertificateTest, ItsChainIsPutInOrderWithoutTheTrustAnchor) {
  const auto identity = ca_.issue(KeyKind::ec);
  const std::string leaf = identity.chain_pem.substr(0, identity.chain_pem.find("-----BEGIN", 10));
  const Certificate certificate = load_certificate(
      library_.get(), write(ca_.root_pem() + ca_.intermediate_pem() + leaf + identity.key_pem));
  ASSERT_EQ(sk_X509_num(certificate.chain.get()), 1);
  EXPECT_EQ(X509_check_issued(sk_X509_value(certificate.chain.get(), 0), certificate.leaf.get()), X509_V_OK);
}

// A CA that has changed its key: all its certificates have one name, and the old key has signed one for the
// new.
class RenewedCaTest : public CertificateTest {
 protected:
  // The subjects' issuers, as far as they are sent.
  std::vector<std::string> sent(const std::vector<std::string>& names) {
    const Certificate certificate = load_certificate(library_.get(), write(pem(names)));
    std::vector<std::string> result;
    for (int i = 0; i < sk_X509_num(certificate.chain.get()); ++i) {
      const std::unique_ptr<BIO, decltype(&BIO_free)> bio(BIO_new(BIO_s_mem()), &BIO_free);
      PEM_write_bio_X509(bio.get(), sk_X509_value(certificate.chain.get(), i));
      char* data = nullptr;
      const auto size = static_cast<std::size_t>(BIO_get_mem_data(bio.get(), &data));
      for (const auto& [name, text] : certificates_) {
        if (text == std::string_view(data, size)) result.push_back(name);
      }
    }
    return result;
  }
  // The leaf's key and these certificates.
  std::string pem(const std::vector<std::string>& names) const {
    std::string all = test::private_key_pem(leaf_.key.get());
    for (const std::string& name : names) all += certificates_.at(name);
    return all;
  }

 private:
  const test::Party old_{"The CA"};
  const test::Party new_{"The CA"};
  const test::Party leaf_{"localhost"};
  const std::map<std::string, std::string> certificates_{
      {"old", test::certificate(old_, old_)},
      {"new", test::certificate(new_, new_)},
      {"link", test::certificate(new_, old_)},
      {"expired", test::certificate(new_, old_, test::expired())},
      {"leaf", test::certificate(leaf_, new_, test::end_entity())}};
};

TEST_F(RenewedCaTest, ItsLinkCertificateIsSent) {
  EXPECT_THAT(sent({"leaf", "link"}), ElementsAre("link"));
  EXPECT_THAT(sent({"leaf", "new", "link"}), ElementsAre("link"));
  EXPECT_THAT(sent({"old", "leaf", "link", "new"}), ElementsAre("link"));
}

TEST_F(RenewedCaTest, ItsOldRootOfTheSameNameIsNotTakenForTheIssuer) {
  EXPECT_THAT(sent({"leaf", "old"}), ElementsAre());
  EXPECT_THAT(sent({"leaf", "old", "new"}), ElementsAre());
}

TEST_F(RenewedCaTest, ALinkCertificateThatHasExpiredIsLeftOutWhereTheRootIsThere) {
  EXPECT_THAT(sent({"leaf", "expired", "new"}), ElementsAre());
  EXPECT_THAT(sent({"leaf", "expired", "link"}), ElementsAre("link"));
  EXPECT_THAT(failure(write(pem({"leaf", "expired"}))), HasSubstr("has expired"));
}

TEST_F(CertificateTest, ThatIsAbsentIsNamed) {
  EXPECT_THAT(failure("/no/such/file.pem"), AllOf(HasSubstr("/no/such/file.pem"), HasSubstr("No such file")));
}

TEST_F(CertificateTest, WithoutAKeyIsRefused) {
  EXPECT_THAT(failure(write(ca_.issue(KeyKind::ec).chain_pem)), HasSubstr("there is no private key"));
}

// Whichever certificates are there: which key was meant cannot be told.
TEST_F(CertificateTest, WithTwoKeysIsRefused) {
  const auto one = ca_.issue(KeyKind::ec);
  const auto other = ca_.issue(KeyKind::rsa);
  const auto refused = AllOf(HasSubstr("there are 2 private keys in "), HasSubstr("test.pem"),
                             HasSubstr("leave only the key of the certificate"));
  EXPECT_THAT(failure(write(one.key_pem + one.chain_pem + other.key_pem)), refused);
  EXPECT_THAT(failure(write(one.key_pem + one.chain_pem + other.key_pem + other.chain_pem)), refused);
  EXPECT_THAT(failure("file:" + write(one.key_pem + other.key_pem + other.chain_pem)), refused);
}

TEST_F(CertificateTest, WithOneKeyAmongTheCertificatesOfManyLoads) {
  const auto one = ca_.issue(KeyKind::ec);
  const auto other = ca_.issue(KeyKind::rsa);
  EXPECT_EQ(failure(write(other.chain_pem + one.key_pem + one.chain_pem)), "loaded");
}

TEST_F(CertificateTest, WithoutALeafIsRefused) {
  EXPECT_THAT(failure(write(ca_.issue(KeyKind::ec).key_pem)), HasSubstr("the key has no certificate"));
}

TEST_F(CertificateTest, ThatIsOfAnotherKeyIsRefused) {
  EXPECT_THAT(failure(write(ca_.issue(KeyKind::ec).key_pem + ca_.issue(KeyKind::ec).chain_pem)),
              HasSubstr("the key does not fit the certificate"));
}

TEST_F(CertificateTest, ThatHasExpiredIsRefused) {
  const auto identity = ca_.issue(KeyKind::ec, test::LeafOptions::expired());
  EXPECT_THAT(failure(write(identity.key_pem + identity.chain_pem)),
              AllOf(HasSubstr("has expired"), HasSubstr("renew it")));
}

TEST_F(CertificateTest, ThatIsNotValidYetIsRefused) {
  test::LeafOptions options;
  options.valid_from = std::chrono::hours(1);
  const auto identity = ca_.issue(KeyKind::ec, options);
  EXPECT_THAT(failure(write(identity.key_pem + identity.chain_pem)), HasSubstr("not valid yet"));
}

TEST_F(CertificateTest, ThatIsDamagedIsRefused) {
  auto identity = ca_.issue(KeyKind::ec);
  identity.chain_pem.replace(60, 8, "????????");
  EXPECT_NE(failure(write(identity.key_pem + identity.chain_pem)), "loaded");
}

TEST_F(CertificateTest, ThatHasAnEncryptedKeyAsksNobody) {
  const auto identity = ca_.issue(KeyKind::ec);
  const std::string encrypted = test::run_or_throw(
      {"openssl", "pkey", "-in", write(identity.key_pem), "-aes256", "-passout", "pass:secret"});
  EXPECT_THAT(failure(write(encrypted + identity.chain_pem)), HasSubstr("cannot read"));
}

TEST(StoreUri, IsAnAliasUnlessTheNameIsAPathOrAUri) {
  EXPECT_EQ(store_uri("httpd"), "keystay:httpd");
  EXPECT_EQ(store_uri("front/httpd"), "keystay:front/httpd");
  EXPECT_EQ(store_uri("50% off?#"), "keystay:50%25%20off%3F%23");
  EXPECT_EQ(store_uri("b\xC3\xBC"), "keystay:b%C3%BC");
  EXPECT_EQ(store_uri("prod:httpd"), "keystay:prod%3Ahttpd");
  EXPECT_EQ(store_uri("keystay:httpd"), "keystay:httpd");
  EXPECT_EQ(store_uri("pkcs11:token=web;object=httpd"), "pkcs11:token=web;object=httpd");
  EXPECT_EQ(store_uri("/etc/x.pem"), "/etc/x.pem");
  EXPECT_EQ(store_uri("file:/etc/x.pem"), "file:/etc/x.pem");
}

}  // namespace
}  // namespace keystay::tlsd
