// Our certificate and its key in one file of PKCS #12, as a gateway hands it out.
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "tests/remote/remote_test.h"
#include "tests/support/process.h"

namespace keystay::keys {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kPassword = "correct horse";

class Pkcs12 : public RemoteTest {
 protected:
  Pkcs12() { write_password(kPassword); }

  void write_password(const std::string& password) const {
    hsm_.directory().write("p12.password", password + "\n");
  }
  // client.p12, of client.pem with its chain and its key, by `openssl pkcs12 -export` with these options
  // besides.
  void make(const test::Arguments& more = {}, const std::string& password = kPassword) const {
    make_of(hsm_.file("client.pem"), hsm_.file("client-key.pem"), more, password);
  }
  void make_of(const std::string& certificate, const std::string& key, const test::Arguments& more = {},
               const std::string& password = kPassword) const {
    test::Arguments command{"openssl", "pkcs12", "-export", "-in",      certificate,       "-inkey",
                            key,       "-out",   file(),    "-passout", "pass:" + password};
    command.insert(command.end(), more.begin(), more.end());
    test::run_or_throw(command);
  }
  [[nodiscard]] std::string file() const { return hsm_.file("client.p12"); }
  [[nodiscard]] std::string configuration(const std::string& source) const {
    std::string toml = hsm_.configuration();
    const std::size_t begin = toml.find("certificate = ");
    const std::size_t end = toml.find('\n', toml.find("key = ", begin)) + 1;
    toml.replace(
        begin, end - begin,
        "pkcs12 = \"" + file() + "\"\n" + (source.empty() ? "" : "pkcs12-password = \"" + source + "\"\n"));
    return toml;
  }
  [[nodiscard]] std::string with_password_file() const {
    return configuration("file:" + hsm_.file("p12.password"));
  }
  [[nodiscard]] std::string reason() const { return failure(open(with_password_file())); }
};

TEST_F(Pkcs12, IsUsedAsTheTwoFilesAre) {
  make();
  const auto source = open(with_password_file());
  EXPECT_TRUE(signs(key(source)));
}

TEST_F(Pkcs12, HasItsPasswordFromTheEnvironmentOrACredential) {
  make();
  ::setenv("KEYSTAY_TEST_P12", kPassword, 1);
  EXPECT_EQ(failure(open(configuration("env:KEYSTAY_TEST_P12"))), "");
  ::unsetenv("KEYSTAY_TEST_P12");
  EXPECT_THAT(failure(open(configuration("env:KEYSTAY_TEST_P12"))),
              HasSubstr("pkcs12-password: cannot read the password of " + file() +
                        ": the environment variable KEYSTAY_TEST_P12 is not set"));
  ::setenv("CREDENTIALS_DIRECTORY", hsm_.directory().path().c_str(), 1);
  EXPECT_EQ(failure(open(configuration("credential:p12.password"))), "");
  ::unsetenv("CREDENTIALS_DIRECTORY");
  make({}, "");
  EXPECT_EQ(failure(open(configuration(""))), "") << "a file without a password";
}

TEST_F(Pkcs12, IsReadAtEachConnectionWithItsPassword) {
  make();
  const auto source = open(with_password_file());
  EXPECT_TRUE(signs(key(source)));
  make({}, "another one");
  write_password("another one");
  hsm_.signal_connections(SIGKILL);
  EXPECT_TRUE(signs(key(source))) << "the same relay, and a new connection";
  EXPECT_EQ(hsm_.relays().size(), 1U);
}

// Nothing of it can be read from outside: what the relay was started with is open to all.
TEST_F(Pkcs12, ItsPasswordIsInNoArgumentAndNoEnvironment) {
  make();
  const auto source = open(with_password_file());
  EXPECT_TRUE(signs(key(source)));
  const std::vector<pid_t> relays = hsm_.relays();
  ASSERT_EQ(relays.size(), 1U);
  for (const char* name : {"cmdline", "environ"}) {
    std::ifstream stream("/proc/" + std::to_string(relays.front()) + "/" + name, std::ios::binary);
    const std::string text(std::istreambuf_iterator<char>(stream), {});
    EXPECT_THAT(text, Not(HasSubstr(kPassword))) << name;
  }
}

TEST_F(Pkcs12, OfTheOldThreeKeyTripleDesIsUsed) {
  make({"-keypbe", "PBE-SHA1-3DES", "-certpbe", "PBE-SHA1-3DES", "-macalg", "SHA1"});
  EXPECT_EQ(reason(), "");
}

TEST_F(Pkcs12, OfACipherThatOnlyTheLegacyProviderHasSaysHowToConvertIt) {
  make({"-legacy"});
  EXPECT_THAT(reason(), AllOf(HasSubstr("pkcs12: " + file() +
                                        " is encrypted by a cipher that OpenSSL has in its "
                                        "provider `legacy` alone"),
                              HasSubstr("openssl pkcs12 -legacy -nodes -in OLD.p12")));
}

TEST_F(Pkcs12, WithAWrongPasswordNamesTheFileAndNotThePassword) {
  make();
  write_password("wrong horse");
  EXPECT_THAT(reason(), AllOf(HasSubstr("pkcs12-password: it is not that of " + file()),
                              Not(HasSubstr("wrong horse"))));
  EXPECT_THAT(failure(open(configuration(""))),
              HasSubstr("pkcs12-password: " + file() + " has a password, and none is configured"));
  std::filesystem::permissions(hsm_.file("p12.password"), std::filesystem::perms::others_read,
                               std::filesystem::perm_options::add);
  EXPECT_THAT(reason(), AllOf(HasSubstr("pkcs12-password: cannot read the password of " + file()),
                              HasSubstr("is open to all users of this machine")));
}

TEST_F(Pkcs12, ThatLacksSomethingIsRefusedWithWhatItLacks) {
  make({"-nokeys"});
  EXPECT_THAT(reason(), HasSubstr("pkcs12: " + file() + " has no private key in it"));
  test::run_or_throw({"openssl", "pkcs12", "-export", "-nocerts", "-inkey", hsm_.file("client-key.pem"),
                      "-out", file(), "-passout", std::string("pass:") + kPassword});
  EXPECT_THAT(reason(), HasSubstr("pkcs12: " + file() + " has no certificate in it"));
  hsm_.directory().write("client.p12", "-----BEGIN CERTIFICATE-----\n");
  EXPECT_THAT(reason(), HasSubstr("pkcs12: " + file() + " is no file of PKCS #12"));
  std::filesystem::remove(file());
  EXPECT_THAT(reason(), HasSubstr("pkcs12: cannot use " + file() + ": No such file"));
}

}  // namespace
}  // namespace keystay::keys
