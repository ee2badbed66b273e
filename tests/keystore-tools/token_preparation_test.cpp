// What a key custodian does before there are keys: slots and tokens seen, tokens initialised, PINs set and
// changed. softhsm2-util and pkcs11-tool are the witnesses.
#include <filesystem>
#include <optional>

#include <boost/json.hpp>

#include "tests/keystore-tools/keystay_program.h"
#include "tests/keystore-tools/pseudo_terminal.h"

namespace keystay::tools {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class TokenPreparationTest : public KeystayTest {
 protected:
  explicit TokenPreparationTest(test::SoftHsmOptions options = {}) : KeystayTest(options) {}

  // A file as a PIN file must be.
  std::string secret(const std::string& name, const std::string& text) const {
    const std::string file = write(name, text + "\n");
    std::filesystem::permissions(file,
                                 std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
    return file;
  }
  std::string so_file() const { return secret("so.pin", token_.so_pin()); }
  std::string module() const { return token_.module().string(); }

  boost::json::array tokens() const {
    const std::string text = done({"tokens", "-o", "json"});
    return boost::json::parse(text).at("tokens").as_array();
  }
  // The token with this label, if there is one.
  std::optional<boost::json::object> token(const std::string& label) const {
    for (const boost::json::value& found : tokens())
      if (found.at("label").as_string() == label && found.at("initialized").as_bool())
        return found.as_object();
    return std::nullopt;
  }
  // Whether an independent program logs in with this PIN.
  bool logs_in(const std::string& label, const std::string& pin) const {
    return test::run({"pkcs11-tool", "--module", test::SoftHsmToken::softhsm().string(), "--token-label",
                      label, "--login", "--pin", pin, "--list-objects"})
        .ok();
  }
  // As refused(), without a look at the objects of the token: that is a login, which sets the counter of
  // wrong PINs back, and is by the PIN that the token had at first.
  void fails(const testing::Matcher<std::string>& message, const test::Arguments& arguments) const {
    SCOPED_TRACE(testing::PrintToString(arguments));
    const test::Outcome outcome = keystay(arguments);
    EXPECT_EQ(outcome.exit_code, 1) << outcome;
    EXPECT_THAT(outcome.output, testing::IsEmpty());
    EXPECT_THAT(outcome.error, message);
  }
  // A fresh token beside the first one.
  std::string make_token(const std::string& label) const {
    const std::string text =
        done({"init-token", "-module", module(), "-label", label, "-sopin:file", so_file(), "-o", "json"});
    return std::string(boost::json::parse(text).at("token").at("serial").as_string());
  }
};

class FaultyTokenPreparationTest : public TokenPreparationTest {
 protected:
  FaultyTokenPreparationTest() : TokenPreparationTest({.front = test::Front::fault_module}) {}
};

TEST_F(TokenPreparationTest, ListsSlotsTokensAndMechanisms) {
  EXPECT_THAT(done({"slots"}), AllOf(HasSubstr("SLOT"), HasSubstr("token \"web\", serial " + token_.serial()),
                                     HasSubstr("token that was never initialised")));
  EXPECT_THAT(done({"-tokens", "-module", module()}),
              AllOf(HasSubstr("USER PIN"), HasSubstr(token_.serial())));
  EXPECT_THAT(done({"mechanisms"}), AllOf(HasSubstr("CKM_ECDSA "), HasSubstr("CKM_RSA_PKCS_KEY_PAIR_GEN")));

  const boost::json::value slots = boost::json::parse(done({"slots", "-o", "json"}));
  ASSERT_EQ(slots.at("slots").as_array().size(), 2U);
  const boost::json::object web = token("web").value();
  EXPECT_EQ(web.at("serial").as_string(), token_.serial());
  EXPECT_EQ(web.at("user-pin").as_string(), "set");
  EXPECT_EQ(web.at("so-pin").as_string(), "set");
  EXPECT_EQ(web.at("login-required").as_bool(), true);

  const boost::json::value found =
      boost::json::parse(done({"mechanisms", "-o", "json", "-serial", token_.serial()}));
  bool signs = false;
  for (const boost::json::value& mechanism : found.at("mechanisms").as_array()) {
    if (mechanism.at("name").as_string() != "CKM_ECDSA") continue;
    signs = mechanism.at("number").to_number<int>() == 0x1041 &&
            mechanism.at("largest-key").to_number<int>() >= 256;
  }
  EXPECT_TRUE(signs);
}

TEST_F(TokenPreparationTest, SaysWhichModuleOrTokenCannotBeAsked) {
  refused(1, HasSubstr("/nonexistent.so cannot be loaded"), {"slots", "-module", "/nonexistent.so"});
  refused(1, HasSubstr("has no token with serial \"77\"; it shows \"web\""), {"mechanisms", "-serial", "77"});
  refused(1, HasSubstr("slot 77 of"), {"mechanisms", "-slot", "77"});
  refused(2, HasSubstr("-module and -token exclude one another"),
          {"-tokens", "-module", module(), "-token", "web"});
  refused(2, HasSubstr("-o"), {"-tokens", "-o", "xml"});
}

TEST_F(TokenPreparationTest, MakesATokenWithItsPinsThatOthersUse) {
  const std::string serial = make_token("front");
  EXPECT_EQ(token("front").value().at("serial").as_string(), serial);
  EXPECT_EQ(token("front").value().at("user-pin").as_string(), "not set");
  done({"init-pin", "-module", module(), "-label", "front", "-sopin:file", so_file(), "-newpin:file",
        secret("new.pin", "24681357")});
  EXPECT_TRUE(logs_in("front", "24681357"));
  EXPECT_TRUE(logs_in("web", token_.pin())) << "the other token was touched";
  refused(1, HasSubstr("has a PIN; the user changes it by keystay change-pin"),
          {"init-pin", "-module", module(), "-label", "front", "-sopin:file", so_file(), "-newpin:file",
           secret("new.pin", "1111")});
}

TEST_F(TokenPreparationTest, TakesTheLabelOfTheConfiguredToken) {
  const std::string configuration =
      write("other.toml", "[token.mail]\nmodule = \"" + module() + "\"\nlabel = \"mail box\"\n");
  done({"init-token", "-conf", configuration, "-sopin:file", so_file()});
  EXPECT_TRUE(token("mail box"));
}

TEST_F(TokenPreparationTest, EmptiesATokenInUseOnlyByItsSerialOrWhenAsked) {
  make_alias("httpd");
  const test::Arguments command{"init-token", "-label", "web", "-sopin:file", so_file()};
  const auto with = [&](std::initializer_list<std::string> more) {
    test::Arguments all = command;
    all.insert(all.end(), more);
    return all;
  };
  refused(1,
          AllOf(HasSubstr("token \"web\" (serial " + token_.serial()),
                HasSubstr("objects show without a login"), HasSubstr("nobody can be asked")),
          command);
  refused(1, HasSubstr("must be named by -serial " + token_.serial()), with({"-noprompt"}));
  refused(1, HasSubstr("has no token with serial \"0\""), with({"-noprompt", "-serial", "0"}));
  {
    PseudoTerminal terminal({keystay_program(), "-init-token", "-label", "web", "-sopin:file", so_file()},
                            {{"KEYSTAY_CONF", configuration_}});
    ASSERT_TRUE(terminal.wait_for_text("Destroy all of it? [no]:"));
    terminal.type("no\n");
    EXPECT_EQ(terminal.wait(), 1) << terminal.screen();
  }
  const std::vector<std::string> before = objects();
  done(with({"-serial", token_.serial(), "--dry-run"}));
  EXPECT_EQ(objects(), before);

  done(with({"-noprompt", "-serial", token_.serial()}));
  const boost::json::object web = token("web").value();
  EXPECT_EQ(web.at("user-pin").as_string(), "not set");
  done({"init-pin", "-sopin:file", so_file(), "-newpin:file", token_.pin_file()});
  EXPECT_THAT(done({"-list"}), HasSubstr("Your keystore contains 0 entries"));
}

TEST_F(TokenPreparationTest, RefusesALabelThatIsNoneOrAnothers) {
  refused(1, HasSubstr("token \"web\" (serial " + token_.serial() + ") has the label already"),
          {"init-token", "-module", module(), "-label", "web", "-sopin:file", so_file()});
  refused(2, HasSubstr("-label is missing"), {"init-token", "-module", module()});
  refused(2, HasSubstr("-label has 33 bytes"),
          {"init-token", "-module", module(), "-label", std::string(33, 'a')});
  refused(2, HasSubstr("-label is no text"),
          {"init-token", "-module", module(), "-label",
           "a\xE2\x80\xAE"
           "b"});
}

TEST_F(TokenPreparationTest, ChangesThePinWithTheOldOne) {
  const std::string file = secret("next.pin", "97531864");
  const test::Outcome outcome = keystay({"change-pin", "-newpin:file", file});
  EXPECT_TRUE(outcome.ok()) << outcome;
  EXPECT_THAT(outcome.error,
              AllOf(HasSubstr("has another user PIN"), HasSubstr("[token.web] reads the PIN from file:"),
                    Not(HasSubstr("97531864"))));
  EXPECT_TRUE(logs_in("web", "97531864"));
  EXPECT_FALSE(logs_in("web", token_.pin()));
  done({"-storepasswd", "-storepass:file", file, "-new:env", "NEXT"},
       {.environment = {{"NEXT", token_.pin()}}});
  EXPECT_TRUE(logs_in("web", token_.pin()));
}

TEST_F(TokenPreparationTest, AsksForPinsWithoutEchoAndForNewOnesTwice) {
  PseudoTerminal terminal({keystay_program(), "change-pin"}, {{"KEYSTAY_CONF", configuration_}});
  ASSERT_TRUE(terminal.wait_for_text("New user PIN of token \"web\""));
  terminal.wait_for_echo(false);
  terminal.type("97531864\n");
  ASSERT_TRUE(terminal.wait_for_text("once more: "));
  terminal.wait_for_echo(false);
  terminal.type("97531865\n");
  EXPECT_EQ(terminal.wait(), 1);
  EXPECT_THAT(terminal.screen(), AllOf(HasSubstr("the two are not the same"), Not(HasSubstr("9753186"))));
  EXPECT_TRUE(logs_in("web", token_.pin()));
}

TEST_F(TokenPreparationTest, RefusesPinsBeforeTheyCostATry) {
  const auto is_as_before = [&] {
    EXPECT_EQ(token("web").value().at("user-pin").as_string(), "set");
    EXPECT_EQ(token("web").value().at("so-pin").as_string(), "set");
    EXPECT_TRUE(logs_in("web", token_.pin()));
  };
  refused(1, HasSubstr("this token takes 4 to 255"), {"change-pin", "-newpin:file", secret("a.pin", "123")});
  refused(1, HasSubstr("is the old one; nothing was changed"),
          {"change-pin", "-newpin:file", secret("a.pin", token_.pin())});
  refused(1, HasSubstr("nothing was tried: the PIN from file:"),
          {"change-pin", "-newpin:file", secret("a.pin", "1234\t")});
  refused(1, HasSubstr("No such file"),
          {"unblock-pin", "-sopin:file", "/nonexistent", "-newpin:file", secret("a.pin", "24681357")});
  refused(2, HasSubstr("a command line is no place for a PIN; write -storepass:file FILE"),
          {"-change-pin", "-storepass", "wrong", "-newpin:file", secret("a.pin", "24681357")});
  refused(2, HasSubstr("excludes"), {"-change-pin", "-newpin:file", "a", "-newpin:env", "B"});
  is_as_before();
}

TEST_F(TokenPreparationTest, TellsOfAWrongPinAndTheTokensCounter) {
  const std::string next = secret("next.pin", "97531864");
  const std::string wrong = secret("wrong.pin", "00000000");
  fails(AllOf(HasSubstr("token \"web\""), HasSubstr("C_SetPIN"), HasSubstr("CKR_PIN_INCORRECT"),
              HasSubstr("the token counts wrong tries")),
        {"change-pin", "-storepass:file", wrong, "-newpin:file", next});
  EXPECT_EQ(token("web").value().at("user-pin").as_string(), "count low");
  const test::Outcome warned = keystay({"change-pin", "-newpin:file", next});
  EXPECT_TRUE(warned.ok()) << warned;
  EXPECT_THAT(warned.error, HasSubstr("warning: the user's PIN of token \"web\""));
  fails(HasSubstr("C_Login"), {"unblock-pin", "-sopin:file", wrong, "-newpin:file", next});
  EXPECT_TRUE(logs_in("web", "97531864"));
}

TEST_F(TokenPreparationTest, UnblocksAsSecurityOfficer) {
  make_alias("httpd");
  const std::string next = secret("next.pin", "97531864");
  done({"unblock-pin", "-sopin:file", so_file(), "-newpin:file", next});
  EXPECT_TRUE(logs_in("web", "97531864"));
  EXPECT_THAT(done({"-list", "-storepass:file", next}), HasSubstr("httpd, ")) << "a key was lost";
  make_token("front");
  fails(HasSubstr("has no PIN yet; give it one by keystay init-pin"),
        {"unblock-pin", "-module", module(), "-label", "front", "-sopin:file", so_file(), "-newpin:file",
         next});
}

TEST_F(TokenPreparationTest, WritesWhatAChangeWouldDoAsJson) {
  const boost::json::value would = boost::json::parse(done({"unblock-pin", "--dry-run", "-o", "json"}));
  EXPECT_EQ(would.at("dry-run").as_bool(), true);
  EXPECT_EQ(would.at("token").at("serial").as_string(), token_.serial());
  EXPECT_TRUE(logs_in("web", token_.pin()));
}

// SoftHSM never locks a PIN; these flags are the fault module's.
TEST_F(FaultyTokenPreparationTest, MakesTheFinalTryOnlyWhenItIsAllowed) {
  const std::string next = secret("next.pin", "97531864");
  token_.faults().set_token_flags(CKF_USER_PIN_FINAL_TRY | CKF_SO_PIN_FINAL_TRY);
  for (const test::Arguments& command :
       {test::Arguments{"change-pin", "-newpin:file", next},
        {"unblock-pin", "-sopin:file", so_file(), "-newpin:file", next},
        {"init-token", "-label", "web", "-noprompt", "-serial", token_.serial(), "-sopin:file", so_file()}}) {
    refused(1,
            AllOf(HasSubstr("one more wrong try locks the "), HasSubstr("so none is made"),
                  HasSubstr("-finaltry")),
            command);
  }
  const test::Outcome tried = keystay({"change-pin", "-finaltry", "-newpin:file", next});
  EXPECT_TRUE(tried.ok()) << tried;
  EXPECT_THAT(tried.error,
              StartsWith("keystay: warning: one more wrong try locks the user's PIN of token \"web\""));
}

TEST_F(FaultyTokenPreparationTest, TriesNoPinThatIsLocked) {
  const std::string next = secret("next.pin", "97531864");
  token_.faults().set_token_flags(CKF_USER_PIN_LOCKED);
  refused(
      1,
      AllOf(HasSubstr("the user's PIN of token \"web\""), HasSubstr("is locked; the security officer gives")),
      {"change-pin", "-finaltry", "-newpin:file", next});
  done({"unblock-pin", "-sopin:file", so_file(), "-newpin:file", next});
  token_.faults().set_token_flags(CKF_SO_PIN_LOCKED);
  fails(HasSubstr("the security officer's PIN of token \"web\""),
        {"unblock-pin", "-sopin:file", so_file(), "-newpin:file", next});
}

}  // namespace
}  // namespace keystay::tools
