#include "native/x509/certificate_request.h"

#include <gmock/gmock.h>

#include "native/x509/distinguished_name.h"
#include "native/x509/error.h"
#include "native/x509/pem.h"
#include "tests/support/process.h"
#include "tests/x509/fixture.h"

namespace keystay::x509 {
namespace {

using testing::HasSubstr;

struct Case {
  const char* name;
  const char* algorithm;
  unsigned size;
  const char* signature_algorithm;
  const char* shown;  // by the openssl program
};

void PrintTo(const Case& value, std::ostream* stream) { *stream << value.name; }

class CertificateRequestTest : public TokenKeyTest, public testing::WithParamInterface<Case> {
 protected:
  std::string request_pem(const std::vector<std::string>& extensions = {}) {
    const RequestContent content{.subject = parse_name("CN=example.org, O=Example"),
                                 .extensions = extensions,
                                 .signature_algorithm = GetParam().signature_algorithm};
    return to_pem(kRequestLabel, certificate_request(key(GetParam().algorithm, GetParam().size), content));
  }
};

TEST_P(CertificateRequestTest, IsVerifiedByTheOpensslProgram) {
  const test::Outcome outcome =
      test::run({"openssl", "req", "-verify", "-noout", "-text", "-nameopt", "RFC2253"},
                {.input = request_pem({"san=dns:example.org"})});
  EXPECT_TRUE(outcome.ok()) << outcome;
  EXPECT_THAT(outcome.error + outcome.output, HasSubstr("verify OK"));  // from OpenSSL 3.4 on in the output
  EXPECT_THAT(outcome.output, HasSubstr("Subject: CN=example.org,O=Example\n"));
  EXPECT_THAT(outcome.output, HasSubstr(std::string("Signature Algorithm: ") + GetParam().shown));
  EXPECT_THAT(outcome.output, HasSubstr("DNS:example.org"));
  EXPECT_THAT(outcome.output, HasSubstr("Subject Key Identifier"));
}

constexpr Case kCases[] = {{"Rsa", "RSA", 2048, "", "sha256WithRSAEncryption"},
                           {"RsaSha512", "RSA", 2048, "SHA512withRSA", "sha512WithRSAEncryption"},
                           {"P256", "EC", 256, "", "ecdsa-with-SHA256"},
                           {"P256LongDigest", "EC", 256, "SHA512withECDSA", "ecdsa-with-SHA512"},
                           {"P384", "EC", 384, "", "ecdsa-with-SHA384"},
                           {"P521", "EC", 521, "", "ecdsa-with-SHA512"},
                           {"Ed25519", "Ed25519", 0, "", "ED25519"}};
INSTANTIATE_TEST_SUITE_P(All, CertificateRequestTest, testing::ValuesIn(kCases),
                         [](const auto& test) { return test.param.name; });

class RefusedRequestTest : public TokenKeyTest {};

// A signature with leading zeros in r or s is shorter in DER; one of these is among so many.
TEST_F(RefusedRequestTest, IsVerifiedWhateverTheSignatureBeginsWith) {
  const keys::PrivateKey ec = key("EC", 256);
  for (int i = 0; i < 300; ++i) {
    const RequestContent content{
        .subject = parse_name("CN=" + std::to_string(i)), .extensions = {}, .signature_algorithm = {}};
    EXPECT_NO_THROW((void)certificate_request(ec, content));
  }
}

// As if the token's key and the public key it is believed to have had got mixed up.
TEST_F(RefusedRequestTest, IsNotGivenOutWithASignatureOfAnotherKey) {
  const keys::PrivateKey one = key("EC", 256);
  const keys::PrivateKey other = key("EC", 256);
  class Swapped final : public pkcs11::KeyOperations {
   public:
    explicit Swapped(keys::PrivateKey key) : key_(std::move(key)) {}
    std::size_t perform(const pkcs11::KeyReference&, const pkcs11::Operation& operation,
                        pkcs11::ByteView data, std::span<std::uint8_t> result,
                        pkcs11::Deadline deadline) override {
      return key_.perform(operation, data, result, deadline);
    }
    bool supports(const pkcs11::Operation& operation) override {
      return key_.operations().supports(operation);
    }
    pkcs11::Deadline deadline() const override { return key_.operations().deadline(); }
    std::string name() const override { return "swapped"; }

   private:
    keys::PrivateKey key_;
  };
  const keys::PrivateKey wrong(std::make_shared<Swapped>(other), one.reference());
  const RequestContent content{.subject = parse_name("CN=a"), .extensions = {}, .signature_algorithm = {}};
  EXPECT_THAT([&] { static_cast<void>(certificate_request(wrong, content)); },
              testing::ThrowsMessage<Error>(HasSubstr("its own public key does not verify")));
}

}  // namespace
}  // namespace keystay::x509
