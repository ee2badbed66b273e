// Each way in which a connection is refused has its own sentence, and nothing of it is a success.
#include "tests/remote/remote_test.h"

namespace keystay::keys {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class RemoteRefusal : public RemoteTest {
 protected:
  using Place = test::RemoteHsm::Place;

  [[nodiscard]] std::string reason(const Place& place) const {
    return failure(open(hsm_.configuration(place)));
  }
  [[nodiscard]] std::string endpoint() const { return "127.0.0.1:" + std::to_string(hsm_.port()); }

  // Its log may be a moment behind the alert that it has sent.
  [[nodiscard]] bool tlsd_says(const std::string& text) const {
    return eventually([&] { return hsm_.tlsd_log().find(text) != std::string::npos; });
  }

  Place place_ = hsm_.place();
};

TEST_F(RemoteRefusal, OfNothingIsSuccess) { EXPECT_EQ(reason(place_), ""); }

TEST_F(RemoteRefusal, ByNameResolution) {
  place_.endpoints = "\"no-such-host.invalid:4442\"";
  EXPECT_THAT(reason(place_), AllOf(HasSubstr("no-such-host.invalid:4442 cannot be used: name resolution: "),
                                    HasSubstr("getent hosts no-such-host.invalid")));
}

TEST_F(RemoteRefusal, ByTcp) {
  place_.endpoints = "\"127.0.0.1:" + std::to_string(test::free_port()) + "\"";
  EXPECT_THAT(reason(place_), AllOf(HasSubstr("cannot be used: TCP: Connection refused"),
                                    HasSubstr("does keystay-tlsd run there")));
}

TEST_F(RemoteRefusal, NamesEachEndpoint) {
  const std::string dead = "127.0.0.1:" + std::to_string(test::free_port());
  place_.endpoints = "\"" + dead + "\", \"no-such-host.invalid:4442\"";
  EXPECT_THAT(reason(place_),
              AllOf(HasSubstr(dead + " cannot be used: TCP"),
                    HasSubstr("and no-such-host.invalid:4442 cannot be used: name resolution")));
}

TEST_F(RemoteRefusal, OfAnEndpointWithoutTls) {
  hsm_.stop_tlsd();
  const test::Process other(
      {"python3", "-m", "http.server", "--bind", "127.0.0.1", std::to_string(hsm_.port())});
  ASSERT_TRUE(test::wait_for_port(hsm_.port()));
  EXPECT_THAT(reason(place_), HasSubstr(endpoint() + " cannot be used: TLS: "));
}

TEST_F(RemoteRefusal, OfTheEndpointsAuthority) {
  hsm_.directory().write("other-root.pem", test::TestCa().root_pem());
  place_.ca = hsm_.file("other-root.pem");
  EXPECT_THAT(reason(place_), AllOf(HasSubstr("TLS: the endpoint's certificate is refused: "),
                                    HasSubstr("(ca = " + place_.ca + ")")));
}

TEST_F(RemoteRefusal, OfTheEndpointsName) {
  place_.host = "other.example";
  EXPECT_THAT(
      reason(place_),
      HasSubstr("TLS: the endpoint's certificate is for hsm.example, and not for other.example (host)"));
  place_.host = "hsm.example";
  EXPECT_EQ(reason(place_), "");
}

TEST_F(RemoteRefusal, OfTheEndpointsTime) {
  test::LeafOptions expired = test::LeafOptions::expired();
  const test::SoftwareIdentity server = hsm_.ca().issue(test::KeyKind::ec, expired);
  hsm_.stop_tlsd();
  hsm_.directory().write("late.pem", server.key_pem + server.chain_pem);
  // keystay-tlsd itself serves no expired certificate.
  const test::Process other({"openssl", "s_server", "-accept", std::to_string(hsm_.port()), "-cert",
                             hsm_.file("late.pem"), "-cert_chain", hsm_.file("late.pem"), "-key",
                             hsm_.file("late.pem"), "-www"});
  ASSERT_TRUE(test::wait_for_port(hsm_.port()));
  EXPECT_THAT(reason(place_),
              HasSubstr("TLS: the endpoint's certificate is refused: certificate has expired"));
}

TEST_F(RemoteRefusal, ByTheEndpointOfOurAuthority) {
  test::LeafOptions client;
  client.dns_names = {"web-1.example"};
  client.usage = "clientAuth";
  hsm_.write_identity(test::TestCa(), "stranger", client);
  place_.certificate = hsm_.file("stranger.pem");
  place_.key = hsm_.file("stranger-key.pem");
  EXPECT_THAT(reason(place_),
              HasSubstr("TLS: the endpoint refuses our certificate (" + place_.certificate + "): "));
  EXPECT_TRUE(tlsd_says("TLS handshake refused: the client's certificate (CN=web-1.example"));
}

TEST_F(RemoteRefusal, ByTheEndpointOfOurName) {
  test::LeafOptions client;
  client.dns_names = {"web-2.example"};
  client.usage = "clientAuth";
  hsm_.write_identity(hsm_.ca(), "unlisted", client);
  place_.certificate = hsm_.file("unlisted.pem");
  place_.key = hsm_.file("unlisted-key.pem");
  EXPECT_THAT(reason(place_), HasSubstr("TLS: the endpoint refuses our certificate"));
  EXPECT_TRUE(tlsd_says("none of its names is among client-names"));
}

TEST_F(RemoteRefusal, OfFilesNamesThem) {
  place_.certificate = hsm_.file("absent.pem");
  EXPECT_THAT(reason(place_), HasSubstr("certificate: cannot use " + place_.certificate + ": No such file"));
  place_ = hsm_.place();
  hsm_.write_identity(hsm_.ca(), "second", {});
  place_.key = hsm_.file("second-key.pem");
  EXPECT_THAT(reason(place_), HasSubstr("key: " + place_.key + " is not the key of the certificate in " +
                                        place_.certificate));
  place_.key = place_.certificate;
  EXPECT_THAT(reason(place_),
              HasSubstr("key: cannot use " + place_.key + ": there is no private key in PEM form in it"));
  const std::string encrypted = hsm_.file("encrypted-key.pem");
  test::run_or_throw(
      {"openssl", "pkey", "-in", hsm_.place().key, "-aes256", "-passout", "pass:1234", "-out", encrypted});
  place_.key = encrypted;
  EXPECT_THAT(reason(place_), HasSubstr("key: cannot use " + encrypted + ": it is encrypted"));
  place_ = hsm_.place();
  place_.certificate = place_.key;
  EXPECT_THAT(reason(place_), AllOf(HasSubstr("certificate: cannot use " + place_.certificate +
                                              ": there is no certificate in PEM form in it"),
                                    Not(HasSubstr(" lib"))));
}

TEST_F(RemoteRefusal, WithoutP11Kit) {
  hsm_.stop_server();
  EXPECT_THAT(reason(place_),
              AllOf(HasSubstr("p11-kit: the endpoint takes our certificate, and then closes the connection"),
                    HasSubstr("does `p11-kit server` run behind it?")));
}

TEST_F(RemoteRefusal, OfAnAbsentTokenNamesWhatIsThere) {
  std::string toml = hsm_.configuration(place_);
  toml.replace(toml.find("label = \"hsm\""), 13, "label = \"hsn\"");
  EXPECT_THAT(failure(open(toml)), AllOf(HasSubstr("hsn"), HasSubstr("hsm")));
}

TEST_F(RemoteRefusal, WithoutTheRelayNamesIt) {
  std::string toml = hsm_.configuration(place_);
  const std::string relay = hsm_.file("keystay-relay");
  toml.replace(toml.find(relay), relay.size(), "/nonexistent/keystay-relay");
  EXPECT_THAT(failure(open(toml)),
              HasSubstr("cannot start keystay-relay: /nonexistent/keystay-relay: No such file or directory"));
}

}  // namespace
}  // namespace keystay::keys
