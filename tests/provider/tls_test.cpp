// TLS handshakes over memory, with libssl and the token's key: one thread, many connections, SSL_MODE_ASYNC.
#include <algorithm>
#include <memory>
#include <vector>

#include <openssl/err.h>

#include "tests/provider/process_footprint.h"
#include "tests/provider/provider_test.h"
#include "tests/provider/signing.h"
#include "tests/provider/tls_connection.h"

namespace keystay::test {
namespace {

using F = Function;

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

TEST_P(TlsTest, AHandshakeSucceedsAndLeavesNoError) {
  Connection connection(server_.get(), client_.get());
  while (!connection.done()) ASSERT_TRUE(connection.step()) << take_errors();
  EXPECT_EQ(ERR_peek_error(), 0u);
}

TEST_P(TlsTest, OneThreadCarriesManyHandshakesWhileTheTokenSigns) {
  SSL_CTX_set_mode(server_.get(), SSL_MODE_ASYNC);
  faults().hold(F::C_Sign);
  std::vector<std::unique_ptr<Connection>> connections;
  for (int i = 0; i < 32; ++i)
    connections.push_back(std::make_unique<Connection>(server_.get(), client_.get()));
  const auto step_until_all = [&](bool (Connection::*are)() const) {
    while (
        !std::ranges::all_of(connections, [&](const auto& connection) { return ((*connection).*are)(); })) {
      for (const auto& connection : connections) {
        if (!connection->done()) {
          ASSERT_TRUE(connection->step()) << take_errors();
        }
      }
    }
  };
  step_until_all(&Connection::waits_for_the_token);
  EXPECT_TRUE(faults().wait_until_inside(F::C_Sign, 4));
  faults().release(F::C_Sign);
  step_until_all(&Connection::done);
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
