// What becomes of an alias after it was made: its certificate renewed, its key rotated, the alias
// deactivated, and the keys that were followed by others retired. pkcs11-tool is the witness of what is on
// the token.
#include <algorithm>

#include <boost/json.hpp>

#include "tests/keystore-tools/saved_token.h"

namespace keystay::tools {
namespace {

using testing::AllOf;
using testing::AnyOf;
using testing::ElementsAre;
using testing::Eq;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class AliasLifeTest : public SavedTokenTest {
 protected:
  explicit AliasLifeTest(test::SoftHsmOptions options = {}) : SavedTokenTest(options) {}

  boost::json::array listed() const {
    return boost::json::parse(done({"-list", "-o", "json"})).at("entries").as_array();
  }
  // "httpd active", "version-1-httpd kept", sorted by alias.
  std::vector<std::string> states() const {
    std::vector<std::string> states;
    for (const boost::json::value& entry : listed()) {
      if (entry.as_object().contains("state"))
        states.push_back(std::string(entry.at("alias").as_string()) + " " +
                         std::string(entry.at("state").as_string()));
    }
    return states;
  }
  std::string id_of(const std::string& alias) const {
    for (const boost::json::value& entry : listed())
      if (entry.at("alias").as_string() == alias) return std::string(entry.at("id").as_string());
    return "";
  }
  std::string certificate(const std::string& alias) const {
    return done({"-exportcert", "-rfc", "-alias", alias});
  }
  void make_certified_alias(const std::string& alias) const {
    done({"-genkeypair", "-alias", alias, "-keyalg", "EC", "-dname", "CN=localhost", "-ext",
          "san=dns:localhost,ip:127.0.0.1"});
    done({"-importcert", "-alias", alias, "-file", write(alias + ".pem", reply(alias))});
  }
  static std::string request_text(const std::string& request) {
    return test::run_or_throw({"openssl", "req", "-noout", "-text", "-verify"}, {.input = request});
  }
};

class InterruptedRotationTest : public AliasLifeTest {
 protected:
  InterruptedRotationTest() : AliasLifeTest({.front = test::Front::fault_module}) {}
};

TEST_F(AliasLifeTest, GoesOverToTheNewKeyWithItsCertificateAndKeepsTheOldOne) {
  make_certified_alias("httpd");
  const std::string old_id = id_of("httpd");
  const std::string old_certificate = certificate("httpd");

  const std::string request = done({"rotate", "-alias", "httpd"});
  EXPECT_THAT(request_text(request), AllOf(HasSubstr("localhost"), HasSubstr("prime256v1")));
  EXPECT_THAT(states(), ElementsAre("httpd active", "version-next-httpd next"));
  EXPECT_EQ(certificate("httpd"), old_certificate) << "a server would get a key without a certificate";
  EXPECT_EQ(id_of("httpd"), old_id);
  EXPECT_THAT(done({"-list"}),
              HasSubstr("version-next-httpd: the key that is to follow that of alias \"httpd\""));

  const std::string file = write("new.pem", ca_.sign_with_chain(request));
  const test::Outcome outcome = keystay({"-importcert", "-alias", "httpd", "-file", file});
  EXPECT_TRUE(outcome.ok()) << outcome;
  EXPECT_THAT(
      outcome.error,
      HasSubstr("alias \"httpd\" has gone over to its new key; the old one is kept as \"version-1-httpd\""));
  EXPECT_THAT(states(), ElementsAre("httpd active", "version-1-httpd kept"));
  EXPECT_EQ(id_of("version-1-httpd"), old_id);
  EXPECT_NE(id_of("httpd"), old_id);
  EXPECT_EQ(certificate("version-1-httpd"), old_certificate);
  EXPECT_NE(certificate("httpd"), old_certificate);
}

TEST_F(AliasLifeTest, IsRotatedInOneGoAndAsOftenAsNeeded) {
  make_alias("httpd");
  done({"-rotate", "-alias", "httpd", "-selfsigned"});
  done({"-rotate", "-alias", "httpd", "-selfsigned", "-keyalg", "RSA", "-keysize", "2048"});
  EXPECT_THAT(states(), ElementsAre("httpd active", "version-1-httpd kept", "version-2-httpd kept"));
  EXPECT_THAT(done({"-list", "-v", "-alias", "httpd"}),
              AllOf(HasSubstr("2048-bit RSA key"), HasSubstr("Owner: CN=localhost")));
  EXPECT_THAT(done({"-list"}), Not(HasSubstr("nfinished")));
}

TEST_F(AliasLifeTest, IsNotRotatedWhereTheEndIsNotClear) {
  make_alias("httpd");
  refused(1, HasSubstr("alias \"nobody\" does not exist"), {"-rotate", "-alias", "nobody"});
  refused(2, HasSubstr("-keysize and -groupname need -keyalg"),
          {"-rotate", "-alias", "httpd", "-keysize", "4096"});
  refused(2, HasSubstr("-selfsigned and -file exclude"),
          {"-rotate", "-alias", "httpd", "-selfsigned", "-file", "a"});
  refused(2, HasSubstr("-alias is required"), {"-rotate"});
  const std::vector<std::string> before = objects();
  done({"rotate", "--alias", "httpd", "--dry-run"});
  EXPECT_EQ(objects(), before);
  done({"-rotate", "-alias", "httpd"});
  refused(1, AllOf(HasSubstr("has begun already"), HasSubstr("keystay retire -which next")),
          {"-rotate", "-alias", "httpd"});
  refused(1, HasSubstr("nothing in"),
          {"-importcert", "-alias", "httpd", "-file", write("root.pem", ca_.root_pem())});
  EXPECT_THAT(states(), ElementsAre("httpd active", "version-next-httpd next"));
  done({"-retire", "-alias", "httpd", "-which", "next", "-noprompt"});
  EXPECT_EQ(objects(), before);
}

TEST_F(AliasLifeTest, RetiresWhatIsNamedAndAsksFirst) {
  make_alias("httpd");
  done({"-rotate", "-alias", "httpd", "-selfsigned"});
  done({"-rotate", "-alias", "httpd", "-selfsigned"});
  refused(1, HasSubstr("nobody can be asked; write -noprompt"),
          {"-retire", "-alias", "httpd", "-which", "1"});
  refused(1, HasSubstr("has no version 7; it has: 1, 2"),
          {"-retire", "-alias", "httpd", "-which", "7", "-noprompt"});
  refused(1, HasSubstr("alias \"www\" has no version all; it has none beside"),
          {"-retire", "-alias", "www", "-which", "all", "-noprompt"});
  refused(2, HasSubstr("expected a number, next or all"), {"-retire", "-alias", "httpd", "-which", "some"});
  done({"-retire", "-alias", "httpd", "-which", "1", "-noprompt"});
  EXPECT_THAT(states(), ElementsAre("httpd active", "version-2-httpd kept"));
  done({"-rotate", "-alias", "httpd", "-selfsigned"});
  done({"-retire", "-alias", "httpd", "-which", "all", "-noprompt"});
  EXPECT_THAT(states(), ElementsAre("httpd active"));
  EXPECT_THAT(token_.pkcs11_tool({"--list-objects", "--type", "privkey"}), Not(HasSubstr("version-")));
}

TEST_F(AliasLifeTest, IsRenewedWithTheNamesThatItsCertificateHas) {
  make_alias("httpd");
  done({"-importcert", "-alias", "httpd", "-file",
        write("reply.pem", reply("httpd", {.dns_names = {"localhost", "www.example.org"}}))});
  const std::vector<std::string> before = objects();
  const std::string request = done({"renew", "-alias", "httpd"});
  EXPECT_THAT(request_text(request), HasSubstr("DNS:localhost, DNS:www.example.org"));
  EXPECT_EQ(objects(), before);
  done({"-importcert", "-alias", "httpd", "-file", write("new.pem", ca_.sign_with_chain(request))});
  done({"-genkeypair", "-alias", "bare", "-keyalg", "EC"});
  refused(1, HasSubstr("has no certificate to renew"), {"-renew", "-alias", "bare"});
}

TEST_F(AliasLifeTest, IsNeitherFoundNorUsedWhileItIsDeactivated) {
  make_alias("httpd");
  const std::string id = id_of("httpd");
  done({"deactivate", "-alias", "httpd"});
  EXPECT_THAT(states(), ElementsAre("deactivated-httpd deactivated"));
  for (const test::Arguments& command : {test::Arguments{"-certreq", "-alias", "httpd"},
                                         {"-exportref", "-alias", "httpd"},
                                         {"-rotate", "-alias", "httpd"},
                                         {"-deactivate", "-alias", "httpd"},
                                         {"-renew", "-alias", "httpd"},
                                         {"-test", "-alias", "httpd"}}) {
    const test::Outcome outcome = keystay(command);
    EXPECT_EQ(outcome.exit_code, 1) << testing::PrintToString(command) << outcome;
  }
  refused(1, HasSubstr("alias \"httpd\" is deactivated on token \"web\"; keystay activate"),
          {"-certreq", "-alias", "httpd"});
  refused(1, HasSubstr("already exists"), {"-genkeypair", "-alias", "httpd", "-keyalg", "EC"});
  refused(2, HasSubstr("cannot be an alias"), {"-genkeypair", "-alias", "deactivated-www", "-keyalg", "EC"});
  EXPECT_THAT(done({"-list"}),
              HasSubstr("deactivated-httpd: alias \"httpd\", deactivated; keystay -activate"));
  done({"activate", "-alias", "httpd"});
  EXPECT_THAT(states(), ElementsAre("httpd active"));
  EXPECT_EQ(id_of("httpd"), id);
  refused(1, HasSubstr("alias \"httpd\" is active"), {"-activate", "-alias", "httpd"});
  refused(1, HasSubstr("does not exist"), {"-activate", "-alias", "nobody"});
}

// Killed at each call of the last step: whoever loads the alias gets the old key or the new one, with its
// certificate.
TEST_F(InterruptedRotationTest, HasTheOldOrTheNewKeyAtEachMoment) {
  constexpr std::int64_t kCallLimit = 2000;
  make_certified_alias("httpd");
  const std::string old_certificate = certificate("httpd");
  const std::string old_id = id_of("httpd");
  const std::string request = done({"-rotate", "-alias", "httpd"});
  const test::Arguments command{"-importcert", "-alias", "httpd", "-file",
                                write("new.pem", ca_.sign_with_chain(request))};
  save("before");
  done(command);
  const std::string new_certificate = certificate("httpd");
  std::uint64_t looked_at = 0;
  std::uint64_t written = 0;
  for (std::int64_t n = 1; n < kCallLimit; ++n) {
    restore("before");
    token_.faults().reset();
    token_.faults().kill_at_call(n);
    const test::Outcome outcome = keystay(command);
    const bool is_done = token_.faults().kill_is_due();
    const std::uint64_t writes = token_.faults().writes();
    token_.faults().reset();
    ASSERT_EQ(outcome.ok(), is_done) << "call " << n << outcome;
    if (is_done || soak() || written != looked_at) {
      SCOPED_TRACE("killed at call " + std::to_string(n));
      EXPECT_THAT(certificate("httpd"), AnyOf(Eq(old_certificate), Eq(new_certificate)));
      EXPECT_EQ(std::ranges::count(states(), "httpd active"), 1);
      done(command);
      EXPECT_EQ(certificate("httpd"), new_certificate);
      EXPECT_THAT(states(), ElementsAre("httpd active", "version-1-httpd kept"));
      EXPECT_EQ(id_of("version-1-httpd"), old_id);
      done({"-retire", "-alias", "httpd", "-which", "1", "-noprompt"});
      EXPECT_EQ(certificate("httpd"), new_certificate) << "the wrong one was destroyed";
      EXPECT_THAT(states(), ElementsAre("httpd active"));
    }
    looked_at = written;
    written = writes;
    if (is_done) return;
  }
  FAIL() << "does not come to an end";
}

}  // namespace
}  // namespace keystay::tools
