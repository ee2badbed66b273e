// Versions, ciphers, groups and signature algorithms of a listener, as clients see them, and server names
// that no certificate has.
#include <string>

#include <openssl/crypto.h>
#include <openssl/ssl.h>

#include "tests/tlsd/log_capture.h"
#include "tests/tlsd/server_test.h"
#include "tlsd/tls/openssl_error.h"

namespace keystay::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

config::PlacedText placed(std::string text) { return {std::move(text), "keystay.toml:8: key"}; }

bool libssl_has_ml_kem() { return OpenSSL_version_num() >= 0x30500000UL; }

class ProtocolSettingsTest : public ServerTest {
 protected:
  config::TlsSettings& tls_ = listener_.tls;

  // Why the server does not start; empty if it does.
  std::string refusal() {
    try {
      const TestServer server(settings_);
    } catch (const tlsd::CryptoError& error) {
      return error.what();
    }
    return {};
  }
};

std::string group_of(TlsClient& client) {
  const int group = static_cast<int>(SSL_get_negotiated_group(client.ssl()));
  const char* name = SSL_group_to_name(client.ssl(), group);
  return name != nullptr ? name : "";
}

TEST_F(ProtocolSettingsTest, TheLowestVersionIsKept) {
  tls_.min_version = config::TlsVersion::tls13;
  TestServer server(settings_);
  EXPECT_THAT(leaf(server, {.version = TLS1_2_VERSION}), HasSubstr("alert protocol version"));
  EXPECT_EQ(leaf(server, {.version = TLS1_3_VERSION}), "localhost EC");
}

TEST_F(ProtocolSettingsTest, TheHighestVersionIsKept) {
  tls_.max_version = config::TlsVersion::tls12;
  TestServer server(settings_);
  EXPECT_THAT(leaf(server, {.version = TLS1_3_VERSION}), HasSubstr("alert protocol version"));
  TlsClient client(server.port());
  ASSERT_TRUE(client.handshake());
  EXPECT_EQ(SSL_version(client.ssl()), TLS1_2_VERSION);
}

TEST_F(ProtocolSettingsTest, AesOf128BitsIsPreferredUnlessChaChaIsTheClientsFirst) {
  TestServer server(settings_);
  const auto chosen_of = [&](const char* offered) -> std::string {
    TlsClient client(server.port(), {.version = TLS1_3_VERSION});
    if (SSL_set_ciphersuites(client.ssl(), offered) != 1 || !client.handshake()) return client.reason();
    return SSL_get_cipher_name(client.ssl());
  };
  EXPECT_EQ(chosen_of("TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256"), "TLS_AES_128_GCM_SHA256");
  EXPECT_EQ(chosen_of("TLS_AES_256_GCM_SHA384"), "TLS_AES_256_GCM_SHA384");
  EXPECT_EQ(chosen_of("TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256"), "TLS_CHACHA20_POLY1305_SHA256");
}

TEST_F(ProtocolSettingsTest, CiphersAreThoseOfTheListInItsOrder) {
  tls_.ciphers = placed("?NO-SUCH-CIPHER:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256");
  tls_.cipher_suites = placed("TLS_CHACHA20_POLY1305_SHA256:?TLS_NONE_OF_THEM");
  TestServer server(settings_);
  TlsClient old(server.port(), {.version = TLS1_2_VERSION});
  ASSERT_EQ(SSL_set_cipher_list(old.ssl(), "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384"), 1);
  ASSERT_TRUE(old.handshake()) << old.reason();
  EXPECT_STREQ(SSL_get_cipher_name(old.ssl()), "ECDHE-ECDSA-AES256-GCM-SHA384");
  TlsClient fresh(server.port(), {.version = TLS1_3_VERSION});
  ASSERT_TRUE(fresh.handshake());
  EXPECT_STREQ(SSL_get_cipher_name(fresh.ssl()), "TLS_CHACHA20_POLY1305_SHA256");
  TlsClient other(server.port(), {.version = TLS1_3_VERSION});
  ASSERT_EQ(SSL_set_ciphersuites(other.ssl(), "TLS_AES_128_GCM_SHA256"), 1);
  EXPECT_FALSE(other.handshake());
}

TEST_F(ProtocolSettingsTest, GroupsAreThoseOfTheList) {
  tls_.groups = placed("?NoSuchGroup:P-384");
  TestServer server(settings_);
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    TlsClient client(server.port(), {.version = version});
    ASSERT_TRUE(client.handshake());
    EXPECT_EQ(group_of(client), "secp384r1");
    TlsClient other(server.port(), {.version = version});
    ASSERT_EQ(SSL_set1_groups_list(other.ssl(), "X25519"), 1);
    EXPECT_FALSE(other.handshake());
  }
}

// One file for OpenSSL 3.0, which has no ML-KEM, and for 3.5.
TEST_F(ProtocolSettingsTest, AHybridGroupIsUsedWhereLibsslHasIt) {
  tls_.groups = placed("?*X25519MLKEM768 / X25519:P-256");
  TestServer server(settings_);
  TlsClient client(server.port(), {.version = TLS1_3_VERSION});
  ASSERT_TRUE(client.handshake());
  EXPECT_EQ(group_of(client), libssl_has_ml_kem() ? "X25519MLKEM768" : "x25519");
}

TEST_F(ProtocolSettingsTest, SignaturesAreByTheAlgorithmsOfTheList) {
  listener_.certificates = {certificate("rsa.pem", KeyKind::rsa, {"localhost"})};
  tls_.signature_algorithms = placed("?mldsa65:rsa_pss_rsae_sha384");
  TestServer server(settings_);
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    TlsClient client(server.port(), {.version = version});
    ASSERT_TRUE(client.handshake()) << client.reason();
    int digest = NID_undef;
    EXPECT_EQ(SSL_get_peer_signature_nid(client.ssl(), &digest), 1);
    EXPECT_EQ(digest, NID_sha384);
  }
}

TEST_F(ProtocolSettingsTest, ANameThatLibsslDoesNotKnowIsRefusedWithItsPlace) {
  const auto refused = [](const std::string& text) {
    return AllOf(StartsWith("keystay.toml:8: key: libssl cannot use \""), HasSubstr(text));
  };
  tls_.ciphers = placed("ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES127-GCM-SHA256");
  EXPECT_THAT(refusal(), refused("\"ECDHE-ECDSA-AES127-GCM-SHA256\": no cipher match"));
  tls_.ciphers = placed("ECDHE-ECDSA-AES128-GCM-SHA256 nonsense");
  EXPECT_THAT(refusal(), refused("\"nonsense\": no cipher match"));
  tls_.ciphers.reset();
  tls_.cipher_suites = placed("TLS_AES_128_GCM_SHA256:ECDHE-ECDSA-AES128-GCM-SHA256");
  EXPECT_THAT(refusal(), refused("\"ECDHE-ECDSA-AES128-GCM-SHA256\": no cipher match"));
  tls_.cipher_suites.reset();
  tls_.groups = placed("X25519:P-257");
  EXPECT_THAT(refusal(), refused("P-257"));
  tls_.groups.reset();
  tls_.signature_algorithms = placed("ecdsa_secp256r1_sha256:ecdsa_secp256r1_md5");
  EXPECT_THAT(refusal(), refused("ecdsa_secp256r1_md5\""));
}

TEST_F(ProtocolSettingsTest, AListOfWhichNothingIsKnownIsRefused) {
  for (const auto setting : {&config::TlsSettings::ciphers, &config::TlsSettings::cipher_suites,
                             &config::TlsSettings::signature_algorithms, &config::TlsSettings::groups}) {
    tls_ = {};
    tls_.*setting = placed("?nonsense:?other");
    EXPECT_THAT(refusal(), StartsWith("keystay.toml:8: key: "));
  }
}

TEST_F(ProtocolSettingsTest, AnUnknownNameIsRefusedWhereThatIsWanted) {
  tls_.unknown_name = config::UnknownName::refuse;
  listener_.certificates = {certificate("one.pem", KeyKind::ec, {"one.example", "*.wild.example"})};
  const LogCapture log;
  TestServer server(settings_);
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    EXPECT_THAT(leaf(server, {.server_name = "two.example", .version = version}),
                HasSubstr("unrecognized name"));
    EXPECT_EQ(leaf(server, {.server_name = "One.example", .version = version}), "one.example EC");
    EXPECT_EQ(leaf(server, {.server_name = "a.wild.example", .version = version}), "one.example EC");
    EXPECT_EQ(leaf(server, {.version = version}), "one.example EC");
  }
  EXPECT_TRUE(log.wait_for(
      "TLS handshake refused: no certificate has the server name \"two.example\" (unknown-name)"))
      << log.text();
  EXPECT_TRUE(
      server.wait_for_metric(R"(keystay_tlsd_handshakes_total{listener="https",result="unknown_name"})", 2));
}

}  // namespace
}  // namespace keystay::test
