// The names that are asked for, and the file that says what is renewed.
#include "keystore-tools/acme/renewal_file.h"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "keystore-tools/acme/identifiers.h"
#include "keystore-tools/failure.h"
#include "native/config/error.h"
#include "native/config/file.h"
#include "tests/support/temporary_directory.h"

namespace keystay::tools::acme {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Renewal everything() {
  return {.alias = "a \"quoted\" ä",
          .token = "web",
          .key_store = "/etc/keystay/web.keystore",
          .acme = {.directory = "https://ca.example/dir",
                   .account = "my-account",
                   .authorities = "/etc/ca.pem",
                   .http_port = "unix:/run/acme.sock",
                   .webroot = "/var/www",
                   .dns_hook = "/usr/local/bin/zone"},
          .wanted = {.distinguished_name = "CN=www.example",
                     .extensions = {"san=dns:www.example", "1.3.6.1.5.5.7.1.24=3003020105"},
                     .signature_algorithm = "SHA384withECDSA"},
          .deploy_hook = "/usr/local/bin/deploy"};
}

TEST(RenewalFile, MeansWhatWasWritten) {
  Renewal least;
  least.alias = "b";
  least.acme.directory = "https://ca.example/dir";
  const std::vector<Renewal> renewals{everything(), least};
  EXPECT_EQ(parse_renewals(format_renewals(renewals), "acme.toml"), renewals);
  EXPECT_TRUE(parse_renewals(format_renewals({}), "acme.toml").empty());
}

TEST(RenewalFile, NamesFileLineAndKeyOfAFault) {
  try {
    static_cast<void>(parse_renewals(
        "[[certificate]]\nalias = \"a\"\ndirectory = \"https://a/\"\nweb-root = \"/\"\n", "/etc/acme.toml"));
    FAIL() << "accepted";
  } catch (const config::Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("/etc/acme.toml:4: certificate.web-root"));
  }
  EXPECT_THROW(static_cast<void>(parse_renewals("[[certificate]]\nalias = \"a\"\n", "f")), config::Error);
  EXPECT_THROW(static_cast<void>(parse_renewals("[certificate]\n", "f")), config::Error);
}

TEST(RenewalFile, HasOneEntryForAnAliasOfAToken) {
  const test::TemporaryDirectory directory;
  const std::filesystem::path file = directory.path() / "acme.toml";
  EXPECT_TRUE(read_renewals(file).empty());
  Renewal renewal = everything();
  record_renewal(file, renewal);
  Renewal other = renewal;
  other.token = "backup";
  record_renewal(file, other);
  renewal.acme.webroot = "/srv";
  record_renewal(file, renewal);
  EXPECT_THAT(read_renewals(file), ElementsAre(renewal, other));
}

TEST(RenewalFile, ThatIsBrokenIsNotOverwritten) {
  const test::TemporaryDirectory directory;
  const std::filesystem::path file = directory.path() / "acme.toml";
  std::ofstream(file) << "[[certificate]\n";
  EXPECT_THROW(record_renewal(file, everything()), Failure);
  EXPECT_EQ(config::read_file(file), "[[certificate]\n");
}

Identifier dns(const char* name) { return {IdentifierType::dns, name}; }
Identifier ip(const char* address) { return {IdentifierType::ip, address}; }

TEST(AcmeIdentifiers, AreTheNamesOfTheExtensionOnceEachInLowerCase) {
  EXPECT_THAT(identifiers_of(std::vector<std::string>{
                  "ku=digitalSignature",
                  "san:critical=dns:WWW.Example,dns:*.example,ip:192.0.2.1,ip:2001:db8::1,dns:www.example"}),
              ElementsAre(dns("www.example"), dns("*.example"), ip("192.0.2.1"), ip("2001:db8::1")));
  EXPECT_TRUE(identifiers_of(std::vector<std::string>{"bc=ca:false"}).empty());
}

TEST(AcmeIdentifiers, OfKindsThatNoCaCertifiesByAcmeAreRefused) {
  for (const char* text :
       {"san=email:a@example.org", "san=uri:https://a.example/", "san=dns:ex ample", "san=dns:a/b"})
    EXPECT_THROW(static_cast<void>(identifiers_of(std::vector<std::string>{text})), UsageError) << text;
}

}  // namespace
}  // namespace keystay::tools::acme
