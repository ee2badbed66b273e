// Loading certificates through OpenSSL's store, and proving that their keys sign.
#include "tlsd/certificate.h"

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/pem.h>

#include "tests/support/process.h"
#include "tests/support/temporary_directory.h"
#include "tests/tlsd/test_server.h"
#include "tlsd/library_context.h"
#include "tlsd/openssl_error.h"
#include "tlsd/test_signature.h"

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
  RenewedCaTest() {
    for (const char* name : {"old", "new"})
      openssl({"req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
               "-subj", "/CN=The CA", "-keyout", path(name, ".key"), "-out", path(name, ".crt")});
    directory_.write("ca.ext", "basicConstraints = critical, CA:TRUE\n");
    openssl({"x509", "-x509toreq", "-in", path("new", ".crt"), "-signkey", path("new", ".key"), "-out",
             path("link", ".csr")});
    issue_link("link", "2");
    openssl({"req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
             "/CN=localhost", "-keyout", path("leaf", ".key"), "-out", path("leaf", ".csr")});
    openssl({"x509", "-req", "-in", path("leaf", ".csr"), "-CA", path("new", ".crt"), "-CAkey",
             path("new", ".key"), "-set_serial", "2", "-days", "2", "-out", path("leaf", ".crt")});
  }
  void issue_link(const std::string& name, const std::string& days) {
    openssl({"x509", "-req", "-in", path("link", ".csr"), "-CA", path("old", ".crt"), "-CAkey",
             path("old", ".key"), "-set_serial", "3", "-days", days, "-extfile", path("ca", ".ext"), "-out",
             path(name, ".crt")});
  }
  std::string path(const std::string& name, const std::string& suffix) const {
    return (directory_.path() / (name + suffix)).string();
  }
  std::string text(const std::string& name) const { return test::run_or_throw({"cat", path(name, ".crt")}); }
  // The subjects' issuers, as far as they are sent.
  std::vector<std::string> sent(const std::vector<std::string>& names) {
    std::string all = test::run_or_throw({"cat", path("leaf", ".key")});
    for (const std::string& name : names) all += text(name);
    const Certificate certificate = load_certificate(library_.get(), write(all));
    std::vector<std::string> result;
    for (int i = 0; i < sk_X509_num(certificate.chain.get()); ++i) {
      const std::unique_ptr<BIO, decltype(&BIO_free)> bio(BIO_new(BIO_s_mem()), &BIO_free);
      PEM_write_bio_X509(bio.get(), sk_X509_value(certificate.chain.get(), i));
      char* data = nullptr;
      const auto size = static_cast<std::size_t>(BIO_get_mem_data(bio.get(), &data));
      for (const char* name : {"old", "new", "link", "expired"})
        if (std::filesystem::exists(path(name, ".crt")) && text(name).ends_with(std::string(data, size)))
          result.emplace_back(name);
    }
    return result;
  }

 private:
  static void openssl(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "openssl");
    test::run_or_throw(arguments);
  }
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
  issue_link("expired", "-1");
  EXPECT_THAT(sent({"leaf", "expired", "new"}), ElementsAre());
  EXPECT_THAT(sent({"leaf", "expired", "link"}), ElementsAre("link"));
  EXPECT_THAT(
      failure(write(test::run_or_throw({"cat", path("leaf", ".key")}) + text("leaf") + text("expired"))),
      HasSubstr("has expired"));
}

TEST_F(CertificateTest, ThatIsAbsentIsNamed) {
  EXPECT_THAT(failure("/no/such/file.pem"), AllOf(HasSubstr("/no/such/file.pem"), HasSubstr("No such file")));
}

TEST_F(CertificateTest, WithoutAKeyIsRefused) {
  EXPECT_THAT(failure(write(ca_.issue(KeyKind::ec).chain_pem)), HasSubstr("there is no private key"));
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
