// TLS handshakes over memory, with libssl and the token's key: one thread, many connections, SSL_MODE_ASYNC.
#include <memory>
#include <vector>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include "tests/provider/process_footprint.h"
#include "tests/provider/provider_test.h"
#include "tests/provider/signing.h"

namespace keystay::test {
namespace {

using F = Function;

using SslContext = Owned<SSL_CTX, SSL_CTX_free>;
using Ssl = Owned<SSL, SSL_free>;

// A self-signed certificate of the key, signed by the key.
X509Certificate self_signed(EVP_PKEY* key) {
  const EVP_MD* digest = EVP_PKEY_is_a(key, "ED25519") == 1 ? nullptr : EVP_sha256();
  X509Certificate certificate(X509_new());
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate.get()), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>("localhost"), -1, -1, 0);
  X509_set_issuer_name(certificate.get(), X509_get_subject_name(certificate.get()));
  X509_set_version(certificate.get(), X509_VERSION_3);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -3600);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 3600);
  X509_set_pubkey(certificate.get(), key);
  EXPECT_GT(X509_sign(certificate.get(), key, digest), 0) << take_errors();
  return certificate;
}

class TlsTest : public ProviderTest, public testing::WithParamInterface<std::tuple<const char*, int, Order>> {
 protected:
  static void SetUpTestSuite() {
    ProviderTest::SetUpTestSuite();
    token().pkcs11_tool(
        {"--keypairgen", "--key-type", "EC:edwards25519", "--label", "ed25519", "--id", "03"});
  }

  TlsTest() {
    server_.reset(SSL_CTX_new_ex(context_.get(), nullptr, TLS_server_method()));
    client_.reset(SSL_CTX_new_ex(context_.get(), nullptr, TLS_client_method()));
    const int version = std::get<1>(GetParam());
    for (SSL_CTX* side : {server_.get(), client_.get()}) {
      SSL_CTX_set_min_proto_version(side, version);
      SSL_CTX_set_max_proto_version(side, version);
    }
    const X509Certificate certificate = self_signed(key_.get());
    EXPECT_EQ(SSL_CTX_use_certificate(server_.get(), certificate.get()), 1);
    EXPECT_EQ(SSL_CTX_use_PrivateKey(server_.get(), key_.get()), 1) << take_errors();
    EXPECT_EQ(SSL_CTX_check_private_key(server_.get()), 1) << take_errors();
    X509_STORE_add_cert(SSL_CTX_get_cert_store(client_.get()), certificate.get());
    SSL_CTX_set_verify(client_.get(), SSL_VERIFY_PEER, nullptr);
    SSL_CTX_set_session_cache_mode(server_.get(), SSL_SESS_CACHE_OFF);
  }

  LibraryContext context_{std::get<2>(GetParam())};
  EvpPkey key_ = context_.load(std::string("keystay:") + std::get<0>(GetParam()));
  SslContext server_;
  SslContext client_;
};

// Both ends of one connection.
class Connection final {
 public:
  Connection(SSL_CTX* server, SSL_CTX* client) : server_(SSL_new(server)), client_(SSL_new(client)) {
    BIO* server_side = nullptr;
    BIO* client_side = nullptr;
    BIO_new_bio_pair(&server_side, 0, &client_side, 0);
    SSL_set_bio(server_.get(), server_side, server_side);
    SSL_set_bio(client_.get(), client_side, client_side);
    SSL_set_accept_state(server_.get());
    SSL_set_connect_state(client_.get());
  }

  // One step of either end; false on an error. SSL_get_error must never see an error that is none.
  [[nodiscard]] bool step() { return step(client_.get()) && step(server_.get()); }
  [[nodiscard]] bool done() const {
    return SSL_is_init_finished(server_.get()) && SSL_is_init_finished(client_.get());
  }
  [[nodiscard]] bool waits_for_the_token() const { return SSL_want_async(server_.get()) != 0; }

 private:
  static bool step(SSL* end) {
    const int result = SSL_do_handshake(end);
    if (result == 1) return true;
    const int error = SSL_get_error(end, result);
    return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE || error == SSL_ERROR_WANT_ASYNC;
  }

  Ssl server_;
  Ssl client_;
};

TEST_P(TlsTest, AHandshakeSucceedsAndLeavesNoError) {
  Connection connection(server_.get(), client_.get());
  while (!connection.done()) ASSERT_TRUE(connection.step()) << take_errors();
  EXPECT_EQ(ERR_peek_error(), 0u);
}

TEST_P(TlsTest, OneThreadCarriesManyHandshakesWhileTheTokenSigns) {
  SSL_CTX_set_mode(server_.get(), SSL_MODE_ASYNC);
  faults().delay(F::C_Sign, std::chrono::milliseconds(20));
  std::vector<std::unique_ptr<Connection>> connections;
  for (int i = 0; i < 32; ++i)
    connections.push_back(std::make_unique<Connection>(server_.get(), client_.get()));
  std::size_t most_waiting = 0;
  for (std::size_t done = 0; done < connections.size();) {
    done = 0;
    std::size_t waiting = 0;
    for (const auto& connection : connections) {
      if (!connection->done()) {
        ASSERT_TRUE(connection->step()) << take_errors();
      }
      done += connection->done() ? 1 : 0;
      waiting += connection->waits_for_the_token() ? 1 : 0;
    }
    most_waiting = std::max(most_waiting, waiting);
  }
  EXPECT_GE(most_waiting, 8u);
  EXPECT_GE(faults().peak(F::C_Sign), 4);
}

std::string name_of(const testing::TestParamInfo<TlsTest::ParamType>& info) {
  const auto& [key, version, order] = info.param;
  return std::string(key) + (version == TLS1_3_VERSION ? "Tls13" : "Tls12") +
         (order == Order::keystay_first ? "KeystayFirst" : "KeystayLast");
}
INSTANTIATE_TEST_SUITE_P(, TlsTest,
                         testing::Combine(testing::Values("rsa", "ec", "ed25519"),
                                          testing::Values(TLS1_2_VERSION, TLS1_3_VERSION),
                                          testing::Values(Order::keystay_last, Order::keystay_first)),
                         name_of);

}  // namespace
}  // namespace keystay::test
