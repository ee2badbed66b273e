#include "native/x509/openssl_pkix.h"

#include <gmock/gmock.h>

#include "native/x509/certificate_bundle.h"
#include "native/x509/public_key.h"
#include "tests/support/test_ca.h"
#include "tests/x509/fixture.h"

namespace keystay::x509 {
namespace {

using keys::Certificate;
using pkcs11::Bytes;

class OpenSslPkixTest : public CleanQueueTest {
 protected:
  Certificate leaf(const test::LeafOptions& options = {}) {
    return read_certificates(ca_.issue(test::KeyKind::rsa, options).chain_pem).front();
  }

  test::TestCa ca_;
  OpenSslPkix pkix_;
};

TEST_F(OpenSslPkixTest, TakesACertificateApart) {
  const Certificate certificate = leaf();
  const Certificate issuer = read_certificates(ca_.intermediate_pem()).front();
  const auto decoded = pkix_.decode(certificate.der);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->der, certificate.der);
  EXPECT_EQ(decoded->issuer, issuer.subject);
  EXPECT_EQ(decoded->serial_number.front(), 0x02) << "a DER INTEGER";
  ASSERT_TRUE(decoded->public_key);
  EXPECT_EQ(pkcs11::key_type(*decoded->public_key), static_cast<CK_KEY_TYPE>(CKK_RSA));
  const auto now = std::chrono::system_clock::now();
  EXPECT_LT(decoded->not_before, now);
  EXPECT_GT(decoded->not_after, now);
}

TEST_F(OpenSslPkixTest, FindsNothingInWhatIsNoCertificate) {
  const Certificate certificate = leaf();
  EXPECT_EQ(pkix_.decode({}), std::nullopt);
  EXPECT_EQ(pkix_.decode(Bytes{0x30, 0x00}), std::nullopt);
  EXPECT_EQ(pkix_.decode(Bytes(certificate.der.begin(), certificate.der.end() - 1)), std::nullopt);
  Bytes longer = certificate.der;
  longer.push_back(0);
  EXPECT_EQ(pkix_.decode(longer), std::nullopt);
}

TEST_F(OpenSslPkixTest, TellsAnIssuerByItsSignatureNotByItsName) {
  const Certificate certificate = leaf();
  const Certificate intermediate = read_certificates(ca_.intermediate_pem()).front();
  const Certificate root = read_certificates(ca_.root_pem()).front();
  EXPECT_TRUE(pkix_.issued_by(certificate, intermediate));
  EXPECT_TRUE(pkix_.issued_by(intermediate, root));
  EXPECT_TRUE(pkix_.issued_by(root, root));
  EXPECT_FALSE(pkix_.issued_by(certificate, root));
  EXPECT_FALSE(pkix_.issued_by(intermediate, certificate));

  // A CA after a change of its keys: the same name, another signature.
  const test::TestCa other;
  const Certificate namesake = read_certificates(other.intermediate_pem()).front();
  ASSERT_EQ(namesake.subject, intermediate.subject);
  EXPECT_FALSE(pkix_.issued_by(certificate, namesake));
}

TEST_F(OpenSslPkixTest, FindsADamagedCertificateIssuedByNobody) {
  Certificate certificate = leaf();
  const Certificate intermediate = read_certificates(ca_.intermediate_pem()).front();
  certificate.der[certificate.der.size() - 1] ^= 1;
  EXPECT_FALSE(pkix_.issued_by(certificate, intermediate));
  certificate.der.resize(10);
  EXPECT_FALSE(pkix_.issued_by(certificate, intermediate));
}

// RFC 5280, section 4.2.1.2, method 1: what libcrypto writes for "hash" as well.
TEST_F(OpenSslPkixTest, IdentifiesAKeyAsSubjectKeyIdentifierDoes) {
  for (const char* kind : {"RSA:2048", "EC:P-256", "ED25519"}) {
    const EvpPkey key = software_key(kind);
    const X509Certificate certificate(X509_new());
    ASSERT_EQ(X509_set_pubkey(certificate.get(), key.get()), 1);
    X509V3_CTX context{};
    X509V3_set_ctx(&context, nullptr, certificate.get(), nullptr, nullptr, 0);
    const X509Extension extension(
        X509V3_EXT_nconf_nid(nullptr, &context, NID_subject_key_identifier, "hash"));
    ASSERT_TRUE(extension) << kind;
    const Owned<ASN1_OCTET_STRING, ASN1_OCTET_STRING_free> expected(
        static_cast<ASN1_OCTET_STRING*>(X509V3_EXT_d2i(extension.get())));
    const Bytes id = pkix_.key_identifier(from_evp_pkey(key.get()));
    EXPECT_EQ(id, Bytes(expected->data, expected->data + expected->length)) << kind;
  }
}

// A date that no nanosecond clock can hold: RFC 5280, section 4.1.2.5, writes "no end" as the year 9999.
TEST_F(OpenSslPkixTest, KeepsADateBeyondTheClockInTheFuture) {
  const EvpPkey key = software_key("EC:P-256");
  const X509Certificate certificate(X509_new());
  ASSERT_EQ(X509_set_pubkey(certificate.get(), key.get()), 1);
  ASSERT_NE(X509_gmtime_adj(X509_getm_notBefore(certificate.get()), 0), nullptr);
  ASSERT_EQ(ASN1_TIME_set_string(X509_getm_notAfter(certificate.get()), "99991231235959Z"), 1);
  ASSERT_GT(X509_sign(certificate.get(), key.get(), EVP_sha256()), 0);
  Bytes der(static_cast<std::size_t>(i2d_X509(certificate.get(), nullptr)));
  unsigned char* out = der.data();
  i2d_X509(certificate.get(), &out);
  const auto decoded = pkix_.decode(der);
  ASSERT_TRUE(decoded);
  EXPECT_GT(decoded->not_after, std::chrono::system_clock::now() + std::chrono::years(200));
}

TEST_F(OpenSslPkixTest, ListsACertificateWhoseKeyNoAliasCanHave) {
  const EvpPkey key = software_key("EC:P-224");
  const X509Certificate certificate(X509_new());
  ASSERT_EQ(X509_set_pubkey(certificate.get(), key.get()), 1);
  ASSERT_NE(X509_gmtime_adj(X509_getm_notBefore(certificate.get()), 0), nullptr);
  ASSERT_NE(X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 1000), nullptr);
  ASSERT_GT(X509_sign(certificate.get(), key.get(), EVP_sha256()), 0);
  Bytes der(static_cast<std::size_t>(i2d_X509(certificate.get(), nullptr)));
  unsigned char* out = der.data();
  i2d_X509(certificate.get(), &out);
  const auto decoded = pkix_.decode(der);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->public_key, std::nullopt);
}

}  // namespace
}  // namespace keystay::x509
