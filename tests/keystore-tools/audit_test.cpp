// What an auditor is told of a token.
#include <algorithm>

#include <boost/json.hpp>

#include "tests/keystore-tools/keystay_program.h"

namespace keystay::tools {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class AuditTest : public KeystayTest {
 protected:
  // Of a token on which there is something to find: the exit code is 1.
  boost::json::value report(const test::Arguments& more = {}) const {
    test::Arguments command{"audit", "-o", "json"};
    command.insert(command.end(), more.begin(), more.end());
    const test::Outcome outcome = keystay(command);
    EXPECT_EQ(outcome.exit_code,
              boost::json::parse(outcome.output).at("findings").to_number<int>() == 0 ? 0 : 1)
        << outcome;
    return boost::json::parse(outcome.output);
  }
  static const boost::json::value& token_of(const boost::json::value& report) {
    return report.at("tokens").at(0);
  }
  static boost::json::value key(const boost::json::value& report, const std::string& alias) {
    for (const boost::json::value& key : token_of(report).at("keys").as_array())
      if (key.at("alias").as_string() == alias) return key;
    ADD_FAILURE() << "no " << alias;
    return {};
  }
  static std::vector<std::string> rules_of(const boost::json::value& object) {
    std::vector<std::string> rules;
    for (const boost::json::value& finding : object.at("findings").as_array())
      rules.emplace_back(finding.at("rule").as_string());
    return rules;
  }
  std::vector<std::string> rules(const std::string& alias, const test::Arguments& more = {}) const {
    return rules_of(key(report(more), alias));
  }
  void make_certified_alias(const std::string& alias, const test::LeafOptions& options) const {
    make_alias(alias);
    done({"-importcert", "-allowexpired", "-alias", alias, "-file",
          write(alias + ".pem", reply(alias, options) + ca_.root_pem())});
  }
  std::string policy(const std::string& text) const { return write("policy.toml", text); }
};

TEST_F(AuditTest, FindsNothingOnATokenThatIsAsItShouldBe) {
  make_certified_alias("httpd", {.valid_until = std::chrono::hours(24 * 60)});
  const boost::json::value found =
      report({"-policy", policy("[certificates]\nself-signed = false\ndays = 20\n")});
  EXPECT_EQ(found.at("findings").to_number<int>(), 0) << boost::json::serialize(found);
  const boost::json::value httpd = key(found, "httpd");
  EXPECT_EQ(httpd.at("made-in-token").as_bool(), true);
  EXPECT_EQ(httpd.at("sensitive").as_bool(), true);
  EXPECT_EQ(httpd.at("always-sensitive").as_bool(), true);
  EXPECT_EQ(httpd.at("extractable").as_bool(), false);
  EXPECT_EQ(httpd.at("never-extractable").as_bool(), true);
  EXPECT_EQ(httpd.at("uses").at(0).as_string(), "sign");
  EXPECT_EQ(httpd.at("certificate").at("chain-complete").as_bool(), true);
  EXPECT_EQ(httpd.at("certificate").at("days").to_number<int>(), 59);
  EXPECT_THAT(done({"audit", "-policy", policy("")}), HasSubstr("Nothing was found"));
}

TEST_F(AuditTest, TellsOfKeysThatCameFromOutsideOrMayLeave) {
  token_.pkcs11_tool({"--keypairgen", "--key-type", "EC:prime256v1", "--label", "open", "--id", "07",
                      "--extractable", "--usage-derive", "--usage-sign"});
  const std::string pem =
      write("soft.pem", test::private_key_pem(test::generate_key(test::KeyKind::rsa).get()));
  const std::string der = (token_.directory().path() / "soft.der").string();
  test::run_or_throw({"openssl", "pkey", "-in", pem, "-outform", "DER", "-out", der});
  token_.pkcs11_tool(
      {"--write-object", der, "--type", "privkey", "--label", "brought", "--id", "08", "--usage-sign"});
  EXPECT_THAT(rules("open"), AllOf(Contains("extractable"), Contains("use"), Contains("no-certificate"),
                                   Not(Contains("origin"))));
  EXPECT_THAT(rules("brought"), AllOf(Contains("origin"), Contains("extractable")));
  const std::string lenient = policy(
      "[keys]\nmade-in-token = false\nsensitive = \"any\"\nnot-extractable = \"any\"\n"
      "uses = [\"sign\", \"sign-recover\", \"derive\", \"decrypt\", \"unwrap\"]\n[certificates]\nrequired = "
      "false\n");
  EXPECT_THAT(rules("open", {"-policy", lenient}), IsEmpty());
}

// The account key of ACME (docs/user/acme.md).
TEST_F(AuditTest, WantsNoCertificateForKeysThatNeedNone) {
  done({"-genkeypair", "-alias", "acme-account", "-keyalg", "EC"});
  done({"-genkeypair", "-alias", "other", "-keyalg", "EC"});
  EXPECT_THAT(rules("acme-account"), IsEmpty());
  EXPECT_THAT(rules("other"), ElementsAre("no-certificate"));
  const std::string others = policy("[certificates]\nnot-for = [\"other\"]\n");
  EXPECT_THAT(rules("acme-account", {"-policy", others}), ElementsAre("no-certificate"));
  EXPECT_THAT(rules("other", {"-policy", others}), IsEmpty());
}

TEST_F(AuditTest, TellsOfWeakKeysAndCurvesAgainstThePolicy) {
  done({"-genkeypair", "-alias", "rsa", "-keyalg", "RSA", "-keysize", "2048", "-dname", "CN=a"});
  make_alias("ec");
  const std::string strict =
      policy("[keys]\nrsa-bits = 3072\ncurves = [\"secp384r1\"]\n[certificates]\nself-signed = false\n");
  EXPECT_THAT(rules("rsa", {"-policy", strict}), ElementsAre("size", "self-signed"));
  EXPECT_THAT(rules("ec", {"-policy", strict}), ElementsAre("curve", "self-signed"));
}

TEST_F(AuditTest, TellsOfCertificatesThatEndAndChainsThatDoNotReachARoot) {
  make_certified_alias("old", test::LeafOptions::expired());
  make_certified_alias("soon", {.valid_until = std::chrono::hours(48)});
  EXPECT_THAT(rules("old"), Contains("expired"));
  EXPECT_THAT(rules("soon"), ElementsAre("expires-soon"));
  token_.pkcs11_tool({"--delete-object", "--type", "cert", "--label", [&] {
                        for (const std::string& object : objects())
                          if (const auto at = object.find("issuer-"); at != std::string::npos)
                            return object.substr(at, 47);
                        return std::string();
                      }()});
  EXPECT_THAT(rules("soon"), Contains("chain"));
}

TEST_F(AuditTest, TellsOfDuplicatesOrphansAndMisfits) {
  make_alias("httpd");
  for (const char* id : {"21", "22"})
    token_.pkcs11_tool(
        {"--keypairgen", "--key-type", "EC:prime256v1", "--label", "twin", "--id", id, "--usage-sign"});
  EXPECT_THAT(rules("twin#1"), Contains("duplicate-label"));
  const test::SoftwareIdentity foreign = ca_.issue(test::KeyKind::ec);
  const std::string leaf = write("leaf.pem", foreign.chain_pem);
  const std::string der = (token_.directory().path() / "leaf.der").string();
  test::run_or_throw({"openssl", "x509", "-in", leaf, "-outform", "DER", "-out", der});
  token_.pkcs11_tool({"--write-object", der, "--type", "cert", "--label", "nobodys", "--id", "44"});
  token_.pkcs11_tool({"--write-object", der, "--type", "cert", "--label", "wrong", "--id", "21"});
  std::vector<std::string> found;
  const boost::json::value whole = report();
  for (const boost::json::value& object : token_of(whole).at("others").as_array())
    for (const std::string& rule : rules_of(object)) found.push_back(rule);
  EXPECT_THAT(found, AllOf(Contains("orphan"), Contains("misfit")));
}

TEST_F(AuditTest, ShowsTheStatesOfAliases) {
  make_alias("httpd");
  done({"-rotate", "-alias", "httpd", "-selfsigned"});
  done({"-rotate", "-alias", "httpd"});
  make_alias("www");
  done({"-deactivate", "-alias", "www"});
  const boost::json::value found = report();
  EXPECT_EQ(key(found, "httpd").at("state").as_string(), "active");
  EXPECT_EQ(key(found, "version-1-httpd").at("state").as_string(), "kept");
  EXPECT_EQ(key(found, "version-next-httpd").at("state").as_string(), "next");
  EXPECT_EQ(key(found, "deactivated-www").at("state").as_string(), "deactivated");
  EXPECT_THAT(rules_of(key(found, "version-next-httpd")), IsEmpty()) << "it waits for its certificate";
}

TEST_F(AuditTest, WritesAPageInWhichNamesAreText) {
  token_.pkcs11_tool({"--keypairgen", "--key-type", "EC:prime256v1", "--label",
                      "<script>alert('1')</script>&", "--id", "07"});
  const std::string file = (token_.directory().path() / "audit.html").string();
  const test::Outcome outcome = keystay({"audit", "-html", file});
  EXPECT_EQ(outcome.exit_code, 1) << outcome;
  EXPECT_THAT(outcome.output, HasSubstr("[no-certificate]"));
  EXPECT_THAT(outcome.output, Not(HasSubstr("\x1b["))) << "no terminal, no colours";
  const std::string page = test::run_or_throw({"cat", file});
  EXPECT_THAT(page, AllOf(HasSubstr("&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&amp;"),
                          Not(HasSubstr("<script"))));
  EXPECT_THAT(page, AllOf(HasSubstr("prefers-color-scheme: dark"), HasSubstr("@media print"),
                          HasSubstr(token_.serial())));
  EXPECT_THAT(page, AllOf(Not(HasSubstr("http://")), Not(HasSubstr("https://"))))
      << "nothing comes from elsewhere";
}

TEST_F(AuditTest, NamesWhatIsWrongInAPolicy) {
  const auto refuse = [&](const std::string& text, const std::string& message) {
    refused(1, AllOf(HasSubstr("policy.toml:"), HasSubstr(message)), {"audit", "-policy", policy(text)});
  };
  refuse("[key]\n", "key");
  refuse("[keys]\nsensitive = \"never\"\n",
         "policy.toml:2: keys.sensitive: expected \"always\", \"now\" or \"any\"");
  refuse("[keys]\ncurves = [\"P-1\"]\n", "is no curve that Keystay knows");
  refuse("[keys]\nuses = [\"fly\"]\n", "expected some of");
  refuse("[certificates]\ndays = -1\n", "certificates.days");
  refused(1, HasSubstr("cannot read /nonexistent"), {"audit", "-policy", "/nonexistent"});
  refused(2, HasSubstr("unknown option -polcy"), {"-audit", "-polcy", "a"});
}

}  // namespace
}  // namespace keystay::tools
