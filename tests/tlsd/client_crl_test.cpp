// Clients whose certificates were revoked (RFC 5280, section 5).
#include <memory>
#include <string>
#include <vector>

#include <openssl/pem.h>
#include <openssl/x509.h>

#include "tests/support/test_party.h"
#include "tests/tlsd/log_capture.h"
#include "tests/tlsd/server_test.h"

namespace keystay::test {
namespace {

using testing::HasSubstr;

struct CrlDelete {
  void operator()(X509_CRL* crl) const noexcept { X509_CRL_free(crl); }
  void operator()(BIO* bio) const noexcept { BIO_free(bio); }
};

Openssl<X509> parsed(const std::string& pem) {
  const std::unique_ptr<BIO, CrlDelete> bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  return Openssl<X509>(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
}

// A CRL of `issuer` with these certificates, which expires after `seconds`.
std::string crl_pem(const Party& issuer, const std::string& issuer_pem,
                    const std::vector<std::string>& revoked, long seconds) {
  const std::unique_ptr<X509_CRL, CrlDelete> crl(X509_CRL_new());
  X509_CRL_set_version(crl.get(), X509_CRL_VERSION_2);
  X509_CRL_set_issuer_name(crl.get(), X509_get_subject_name(parsed(issuer_pem).get()));
  ASN1_TIME* time = X509_gmtime_adj(nullptr, -7200);
  X509_CRL_set1_lastUpdate(crl.get(), time);
  X509_gmtime_adj(time, seconds);
  X509_CRL_set1_nextUpdate(crl.get(), time);
  for (const std::string& pem : revoked) {
    X509_REVOKED* entry = X509_REVOKED_new();
    X509_REVOKED_set_serialNumber(entry, X509_get_serialNumber(parsed(pem).get()));
    ASN1_TIME* since = X509_gmtime_adj(nullptr, -7200);
    X509_REVOKED_set_revocationDate(entry, since);
    ASN1_TIME_free(since);
    X509_CRL_add0_revoked(crl.get(), entry);
  }
  ASN1_TIME_free(time);
  X509_CRL_sort(crl.get());
  X509_CRL_sign(crl.get(), issuer.key.get(), EVP_sha256());
  const std::unique_ptr<BIO, CrlDelete> bio(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509_CRL(bio.get(), crl.get());
  const char* text = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &text);
  return {text, static_cast<std::size_t>(size)};
}

class ClientCrlTest : public ServerTest {
 protected:
  SoftwareIdentity client(const std::string& name) {
    const Party party(name);
    return {private_key_pem(party.key.get()), certificate(party, root_, end_entity()) + root_pem_};
  }
  void ask_for_clients(const std::vector<std::string>& revoked, long seconds) {
    listener_.clients = config::ClientCertificates{directory_.write("ca.pem", root_pem_).string(), {}, {}};
    listener_.clients->crl =
        directory_.write("crl.pem", crl_pem(root_, root_pem_, revoked, seconds)).string();
  }
  static bool is_served(TestServer& server, const SoftwareIdentity& identity) {
    TlsClient client(server.port(), {.version = TLS1_2_VERSION, .identity = &identity});
    return client.handshake();
  }

  // Not of ServerTest::certificate(), which is for servers.
  static std::string certificate(const Party& subject, const Party& issuer, const Terms& terms) {
    return test::certificate(subject, issuer, terms);
  }

  Party root_{"CRL root"};
  std::string root_pem_ = test::certificate(root_, root_);
  LogCapture log_;
};

TEST_F(ClientCrlTest, ARevokedCertificateIsRefusedAndNoOther) {
  const SoftwareIdentity good = client("good.example");
  const SoftwareIdentity bad = client("bad.example");
  ask_for_clients({bad.chain_pem}, 3600);
  TestServer server(settings_);
  EXPECT_TRUE(is_served(server, good)) << log_.text();
  EXPECT_FALSE(is_served(server, bad));
  EXPECT_TRUE(log_.wait_for("is refused: certificate revoked")) << log_.text();
}

TEST_F(ClientCrlTest, AnExpiredCrlRefusesAll) {
  const SoftwareIdentity good = client("good.example");
  ask_for_clients({}, -3600);
  TestServer server(settings_);
  EXPECT_FALSE(is_served(server, good));
  EXPECT_TRUE(log_.wait_for("is refused: CRL has expired")) << log_.text();
}

TEST_F(ClientCrlTest, AFileWithoutACrlIsRefused) {
  ask_for_clients({}, 3600);
  listener_.clients->crl = listener_.clients->ca;
  try {
    const TestServer server(settings_);
    FAIL() << "it serves without a CRL";
  } catch (const std::exception& error) {
    EXPECT_THAT(error.what(), HasSubstr("client-crl: cannot read CRLs from " + listener_.clients->ca));
  }
}

}  // namespace
}  // namespace keystay::test
