// -o json, of each command that reports something: one line, which says what the token shows afterwards; and
// --dry-run, which leaves the token as it was.
#include <algorithm>

#include <boost/json.hpp>

#include "tests/keystore-tools/keystay_program.h"

namespace keystay::tools {
namespace {

using boost::json::object;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

std::string text(const boost::json::value& value) { return std::string(value.as_string()); }

class JsonOutputTest : public KeystayTest {
 protected:
  // The report of a command that is done: one line, which names the command.
  object report(test::Arguments command) const {
    const std::string name = command.front();
    command.insert(command.end(), {"-o", "json"});
    const std::string output = done(command);
    EXPECT_EQ(std::ranges::count(output, '\n'), 1) << output;
    object report = boost::json::parse(output).as_object();
    EXPECT_EQ(text(report.at("command")), name);
    return report;
  }
  // The same of a dry run, which changes nothing.
  object dry_run(test::Arguments command) const {
    const std::vector<std::string> before = objects();
    command.emplace_back("--dry-run");
    object result = report(command);
    EXPECT_EQ(result.at("dry-run"), true) << command.front();
    EXPECT_EQ(objects(), before) << command.front();
    return result;
  }
  object listed(const std::string& alias) const {
    const boost::json::value listing = boost::json::parse(done({"-list", "-o", "json"}));
    for (const boost::json::value& entry : listing.at("entries").as_array())
      if (text(entry.at("alias")) == alias) return entry.as_object();
    ADD_FAILURE() << "no " << alias;
    return {};
  }
  std::vector<std::string> aliases() const {
    std::vector<std::string> names;
    const boost::json::value listing = boost::json::parse(done({"-list", "-o", "json"}));
    for (const boost::json::value& entry : listing.at("entries").as_array())
      names.push_back(text(entry.at("alias")));
    return names;
  }
};

TEST_F(JsonOutputTest, SaysWhatWasMade) {
  const test::Arguments command{"genkeypair", "-alias", "httpd", "-keyalg", "EC", "-dname", "CN=localhost"};
  const object would = dry_run(command);
  EXPECT_EQ(would.at("alias"), "httpd");
  EXPECT_TRUE(would.at("entry").is_null());
  EXPECT_THAT(objects(), IsEmpty());
  const object made = report(command);
  EXPECT_EQ(made.at("dry-run"), false);
  EXPECT_EQ(made.at("source"), "token \"web\"");
  EXPECT_EQ(made.at("entry"), listed("httpd"));
  EXPECT_EQ(made.at("entry").at("chain-length"), 1);
  refused(1, HasSubstr("already exists"), {"genkeypair", "-alias", "HTTPD", "-keyalg", "EC", "--dry-run"});
}

TEST_F(JsonOutputTest, HasRequestsAndSaysWhatRepliesBecame) {
  make_alias("httpd");
  const std::string file = token_.directory().path() / "httpd.csr";
  const object request = report({"certreq", "-alias", "httpd", "-file", file});
  EXPECT_EQ(text(request.at("request")), test::run_or_throw({"cat", file}));
  const test::Arguments import{"importcert", "-alias", "httpd", "-file", write("reply.pem", reply("httpd"))};
  const object would = dry_run(import);
  EXPECT_EQ(would.at("kind"), "reply");
  const object installed = report(import);
  EXPECT_EQ(installed.at("chain-length"), would.at("chain-length"));
  EXPECT_EQ(installed.at("new-key"), false);
  EXPECT_TRUE(installed.at("kept").is_null());
  EXPECT_THAT(text(report({"renew", "-alias", "httpd"}).at("request")),
              StartsWith("-----BEGIN CERTIFICATE REQUEST"));
  const test::Arguments root{"importcert", "-alias", "root", "-file", write("root.pem", ca_.root_pem())};
  EXPECT_EQ(dry_run(root).at("kind"), "trusted") << "and nobody is asked";
}

TEST_F(JsonOutputTest, FollowsTheLifeOfAnAlias) {
  make_alias("httpd");
  EXPECT_EQ(dry_run({"rotate", "-alias", "httpd"}).at("alias"), "httpd");
  const object begun = report({"rotate", "-alias", "httpd"});
  EXPECT_TRUE(begun.at("kept").is_null());
  EXPECT_EQ(begun.at("id"), listed("version-next-httpd").at("id"));
  const std::string chain = write("next.pem", ca_.sign_with_chain(text(begun.at("request"))));
  const object would = dry_run({"importcert", "-alias", "httpd", "-file", chain});
  EXPECT_EQ(would.at("new-key"), true);
  EXPECT_TRUE(would.at("kept").is_null());
  const object over = report({"importcert", "-alias", "httpd", "-file", chain});
  EXPECT_EQ(over.at("new-key"), true);
  EXPECT_EQ(over.at("kept"), "version-1-httpd");
  EXPECT_EQ(report({"rotate", "-alias", "httpd", "-selfsigned"}).at("kept"), "version-2-httpd");

  const test::Arguments retire{"retire", "-alias", "httpd", "-which", "1", "-noprompt"};
  const object old = listed("version-1-httpd");
  for (const object& retired : {dry_run(retire), report(retire)}) {
    ASSERT_EQ(retired.at("destroyed").as_array().size(), 1U);
    EXPECT_EQ(retired.at("destroyed").as_array().front().at("id"), old.at("id"));
  }
  EXPECT_THAT(aliases(), ElementsAre("httpd", "version-2-httpd"));
  EXPECT_EQ(dry_run({"deactivate", "-alias", "httpd"}).at("alias"), "httpd");
  EXPECT_EQ(report({"deactivate", "-alias", "httpd"}).at("alias"), "httpd");
  EXPECT_EQ(dry_run({"activate", "-alias", "httpd"}).at("alias"), "httpd");
  EXPECT_EQ(report({"activate", "-alias", "httpd"}).at("alias"), "httpd");
  EXPECT_THAT(aliases(), ElementsAre("httpd", "version-2-httpd"));
}

TEST_F(JsonOutputTest, SaysWhatIsRenamedAndDestroyed) {
  make_alias("httpd");
  make_alias("ftpd");
  EXPECT_EQ(dry_run({"changealias", "-alias", "HTTPD", "-destalias", "www"}).at("alias"), "httpd");
  refused(1, HasSubstr("already exists"),
          {"changealias", "-alias", "httpd", "-destalias", "ftpd", "--dry-run"});
  EXPECT_EQ(report({"changealias", "-alias", "httpd", "-destalias", "www"}).at("new-alias"), "www");
  EXPECT_THAT(aliases(), ElementsAre("ftpd", "www"));
  EXPECT_EQ(dry_run({"delete", "-alias", "WWW"}).at("alias"), "www");
  EXPECT_EQ(report({"delete", "-alias", "www"}).at("action"), "destroy");
  EXPECT_THAT(aliases(), ElementsAre("ftpd"));
  token_.pkcs11_tool({"--delete-object", "--type", "privkey", "--label", "ftpd"});
  const object left = dry_run({"cleanup"});
  EXPECT_FALSE(left.at("unfinished").as_array().empty());
  EXPECT_EQ(report({"cleanup", "-noprompt"}).at("unfinished"), left.at("unfinished"));
  EXPECT_THAT(report({"cleanup"}).at("unfinished").as_array(), IsEmpty());
}

TEST_F(JsonOutputTest, TellsAConnectionAndWhyThereIsNone) {
  const object unsigned_ = report({"test"});
  EXPECT_EQ(unsigned_.at("connected"), true);
  EXPECT_TRUE(unsigned_.at("signature").is_null());
  make_alias("httpd");
  const object tested = report({"test"});
  EXPECT_EQ(tested.at("signature").at("alias"), "httpd");
  EXPECT_EQ(tested.at("tokens").as_array().front().at("label"), "web");
  const test::Outcome failed = keystay({"test", "-alias", "nobody", "-o", "json"});
  EXPECT_EQ(failed.exit_code, 1) << failed;
  const boost::json::value why = boost::json::parse(failed.output);
  EXPECT_EQ(why.at("connected"), false);
  EXPECT_THAT(text(why.at("error")), HasSubstr("there is no key \"nobody\""));
  EXPECT_THAT(failed.error, HasSubstr("there is no key \"nobody\""));
}

TEST_F(JsonOutputTest, HasWhatPrintcertAndItsLikesShow) {
  make_alias("ca");
  const std::string pem = done({"exportcert", "-rfc", "-alias", "ca"});
  const object shown = report({"printcert", "-file", write("ca.pem", pem)});
  const object certificate = shown.at("certificates").as_array().front().as_object();
  EXPECT_EQ(text(certificate.at("pem")), pem);
  EXPECT_EQ(certificate.at("key"), "EC (P-256) key");
  EXPECT_EQ(certificate.at("sha256"), listed("ca").at("certificate").at("sha256"));
  const object request =
      report({"printcertreq", "-file", write("ca.csr", done({"certreq", "-alias", "ca"}))});
  EXPECT_EQ(request.at("subject"), "CN=localhost");
  EXPECT_EQ(request.at("signature-algorithm"), "SHA256withECDSA");
  const std::string crl = write("ca.crl", done({"gencrl", "-rfc", "-alias", "ca", "-id", "255"}));
  const object list =
      report({"printcrl", "-file", crl, "-token", "web"}).at("lists").as_array().front().as_object();
  EXPECT_EQ(list.at("issuer"), "CN=localhost");
  EXPECT_EQ(list.at("verified-by"), "ca");
  ASSERT_EQ(list.at("revoked").as_array().size(), 1U);
  EXPECT_EQ(list.at("revoked").as_array().front().at("serial"), "00:ff");
  const object info = report({"showinfo", "-tls"});
  EXPECT_EQ(info.at("protocols").as_array().front(), "TLSv1.3");
  EXPECT_FALSE(info.at("cipher-suites").as_array().empty());
}

}  // namespace
}  // namespace keystay::tools
