#include "native/x509/certificate_text.h"

#include <gmock/gmock.h>

#include "native/x509/certificate_bundle.h"
#include "native/x509/public_key.h"
#include "tests/support/process.h"
#include "tests/support/test_ca.h"
#include "tests/x509/fixture.h"

namespace keystay::x509 {
namespace {

using testing::HasSubstr;

class CertificateText : public CleanQueueTest {};

TEST_F(CertificateText, NamesAKeyAsPeopleDo) {
  const auto described = [](const char* kind) {
    return describe_key(from_evp_pkey(software_key(kind).get()));
  };
  EXPECT_EQ(described("RSA:2048"), "2048-bit RSA key");
  EXPECT_EQ(described("EC:P-256"), "EC (P-256) key");
  EXPECT_EQ(described("ED25519"), "Ed25519 key");
}

TEST_F(CertificateText, WritesATimeLikeKeytool) {
  EXPECT_EQ(describe_time(std::chrono::system_clock::from_time_t(1'795'253'841)),
            "Sat Nov 21 09:37:21 UTC 2026");
}

// The openssl program sees the same fingerprint and serial number.
TEST_F(CertificateText, AgreesWithTheOpensslProgram) {
  const test::TestCa ca;
  const std::string pem = ca.issue(test::KeyKind::rsa).chain_pem;
  const std::string text = describe_certificate(read_certificates(pem).front());
  const std::string shown =
      test::run_or_throw({"openssl", "x509", "-noout", "-fingerprint", "-sha256", "-serial"}, {.input = pem});
  const auto value = [&](const std::string& name) {
    const std::size_t begin = shown.find(name) + name.size();
    return shown.substr(begin, shown.find('\n', begin) - begin);
  };
  EXPECT_THAT(text, HasSubstr("SHA256: " + value("sha256 Fingerprint=") + "\n"));
  std::string serial = value("serial=");
  for (char& c : serial) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  serial.erase(0, serial.find_first_not_of('0'));  // keytool writes a number
  EXPECT_THAT(text, HasSubstr("Serial number: " + serial + "\n"));
  EXPECT_THAT(text, HasSubstr("Subject Public Key Algorithm: 2048-bit RSA key\nVersion: 3\n"));
  EXPECT_THAT(text, HasSubstr("  DNSName: localhost\n  IPAddress: 127.0.0.1\n"));
}

}  // namespace
}  // namespace keystay::x509
