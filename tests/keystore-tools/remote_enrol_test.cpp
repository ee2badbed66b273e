// remote enrol: what it makes and shows, and that it makes nothing over what is there. That the two ends find
// each other by it is tests/interop/enrolled_clients_connect.sh.
#include <filesystem>

#include <sys/stat.h>

#include "native/config/configuration.h"
#include "native/config/file.h"
#include "tests/keystore-tools/keystay_program.h"

namespace keystay::tools {
namespace {

namespace fs = std::filesystem;

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

class RemoteEnrolTest : public KeystayTest {
 protected:
  RemoteEnrolTest() { fs::create_directory(directory()); }

  [[nodiscard]] fs::path directory() const { return token_.directory().path() / "enrolled"; }
  [[nodiscard]] std::string file(const char* name) const { return (directory() / name).string(); }
  [[nodiscard]] test::Arguments with(const test::Arguments& more) const {
    test::Arguments arguments{"remote", "enrol", "--directory", directory().string()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  }
  [[nodiscard]] bool is_empty() const { return fs::is_empty(directory()); }
};

TEST_F(RemoteEnrolTest, MakesAKeyARequestAndTheConfigurationOfBothEnds) {
  const std::string shown =
      done(with({"--endpoint", "hsm-1.example:4442", "--endpoint", "[2001:db8::7]:4442", "--host",
                 "hsm.example", "--name", "web-1.example", "--token", "front.1", "--label", "web \"1\""}));
  const config::Configuration configuration = config::parse_configuration(shown, "shown");
  const config::TokenSettings& token = configuration.tokens.at("front.1");
  EXPECT_EQ(token.label, "web \"1\"");
  EXPECT_EQ(token.pin, "file:" + file("front.1.pin"));
  EXPECT_EQ(token.remote->endpoints.size(), 2U);
  EXPECT_EQ(token.remote->host, "hsm.example");
  EXPECT_EQ(token.remote->key, file("client-key.pem"));
  EXPECT_EQ(token.remote->certificate, file("client.pem"));
  EXPECT_EQ(token.remote->ca, file("ca.pem"));
  const config::ListenerSettings& listener = configuration.tlsd.listeners.at(0);
  ASSERT_TRUE(listener.clients);
  EXPECT_EQ(listener.bind.at(0).port, 4442);
  EXPECT_THAT(listener.clients->names, ElementsAre("web-1.example"));
  EXPECT_THAT(shown, HasSubstr("p11-kit server --foreground"));
  EXPECT_THAT(shown, HasSubstr("pkcs11:token=web%20%221%22"));

  struct stat status {};
  ASSERT_EQ(::stat(file("client-key.pem").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0600U);
  EXPECT_THAT(test::run_or_throw({"openssl", "req", "-in", file("client.csr"), "-noout", "-verify", "-text",
                                  "-subject", "-nameopt", "RFC2253"}),
              AllOf(HasSubstr("subject=CN=web-1.example"), HasSubstr("DNS:web-1.example"),
                    HasSubstr("TLS Web Client Authentication"), HasSubstr("P-256")));
  EXPECT_EQ(test::run_or_throw({"openssl", "pkey", "-in", file("client-key.pem"), "-pubout"}),
            test::run_or_throw({"openssl", "req", "-in", file("client.csr"), "-noout", "-pubkey"}));
}

TEST_F(RemoteEnrolTest, IsForThisMachineAndItsConfigurationUnlessToldOtherwise) {
  const fs::path configuration = directory() / "keystay.toml";
  const std::string shown = done({"-remoteenrol", "-endpoint", "hsm.example:4442", "-conf", configuration});
  const config::Configuration parsed = config::parse_configuration(shown, "shown");
  EXPECT_EQ(parsed.tokens.at("hsm").label, "hsm");
  EXPECT_EQ(parsed.tokens.at("hsm").remote->key, file("client-key.pem"));
  EXPECT_TRUE(fs::exists(file("client.csr")));
}

TEST_F(RemoteEnrolTest, OverwritesNothing) {
  for (const char* name : {"client-key.pem", "client.csr"}) {
    config::replace_file(file(name), "precious", 0600);
    refused(1, AllOf(HasSubstr(std::string(name) + " exists"), HasSubstr("--directory")),
            with({"--endpoint", "hsm.example:4442", "--name", "web"}));
    EXPECT_EQ(config::read_file(file(name)), "precious");
    EXPECT_EQ(std::distance(fs::directory_iterator(directory()), fs::directory_iterator()), 1);
    fs::remove(file(name));
  }
}

TEST_F(RemoteEnrolTest, MakesNothingOfWhatTheConfigurationWouldRefuse) {
  const auto refuses = [&](const char* message, const test::Arguments& more) {
    refused(2, HasSubstr(message), with(more));
    EXPECT_TRUE(is_empty());
  };
  refuses("--endpoint is required", {});
  refuses("expected a name or an address and a port", {"--endpoint", "hsm.example"});
  refuses("a socket of this machine needs no certificate", {"--endpoint", "unix:/run/p11-kit.sock"});
  refuses("expected a DNS name", {"--endpoint", "hsm:1", "--name", "web,dns:other"});
  refuses("a token's name consists of letters", {"--endpoint", "hsm:1", "--name", "web", "--token", "a/b"});
  refuses("expected at most 32 bytes",
          {"--endpoint", "hsm:1", "--name", "web", "--label", std::string(33, 'x')});
}

TEST_F(RemoteEnrolTest, LeavesNoKeyWithoutItsRequest) {
  const std::string absent = (directory() / "absent").string();
  refused(1, HasSubstr("cannot make " + absent),
          {"remote", "enrol", "--directory", absent, "--endpoint", "hsm:1", "--name", "web"});
  EXPECT_TRUE(is_empty());
}

}  // namespace
}  // namespace keystay::tools
