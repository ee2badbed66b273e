#include <dirent.h>

#include "tests/keystore-tools/keystay_program.h"
#include "tests/keystore-tools/pseudo_terminal.h"

namespace keystay::tools {
namespace {

using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

class PinTest : public KeystayTest {
 protected:
  explicit PinTest(test::SoftHsmOptions options = {}) : KeystayTest(options) {}

  // The token's configuration with another `pin`.
  std::string configuration_with_pin(const std::string& pin) const {
    return write("other.toml", "[token.web]\nmodule = \"" + token_.module().string() +
                                   "\"\nlabel = \"web\"\npin = \"" + pin + "\"\n");
  }
};

TEST_F(PinTest, ComesFromAFileOrAVariableOfTheCommandLine) {
  make_alias("httpd");
  const auto conf = configuration_with_pin("file:/nonexistent/pin");
  refused(1, HasSubstr("cannot read the PIN of token \"web\": /nonexistent/pin: No such file or directory"),
          {"-list", "-conf", conf});
  const auto has_alias = HasSubstr("httpd, ");
  EXPECT_THAT(done({"-list", "-conf", conf, "-storepass:file", token_.pin_file()}), has_alias);
  EXPECT_THAT(done({"list", "--conf", conf, "--storepass-file", token_.pin_file()}), has_alias);
  EXPECT_THAT(
      done({"-list", "-conf", conf, "-storepass:env", "A_PIN"}, {.environment = {{"A_PIN", token_.pin()}}}),
      has_alias);
  refused(2, HasSubstr("excludes"), {"-list", "-storepass:env", "A", "-storepass:file", "B"});
}

TEST_F(PinTest, IsTakenFromTheCommandLineForKeytoolsSakeWithAWarning) {
  make_alias("httpd");
  const test::Outcome outcome =
      keystay({"-list", "-conf", configuration_with_pin("prompt"), "-storepass", token_.pin()});
  EXPECT_TRUE(outcome.ok()) << outcome;
  EXPECT_THAT(outcome.output, HasSubstr("httpd, "));
  EXPECT_EQ(
      outcome.error,
      "keystay: warning: everybody on this machine can see a command line while it runs; use -storepass:file "
      "FILE\n");
}

TEST_F(PinTest, IsAskedForWithoutEcho) {
  make_alias("httpd");
  PseudoTerminal terminal({keystay_program(), "-list", "-conf", configuration_with_pin("prompt")}, {});
  ASSERT_TRUE(terminal.wait_for_text("PIN of token \"web\": "));
  terminal.wait_for_echo(false);
  terminal.type(token_.pin() + "\n");
  EXPECT_EQ(terminal.wait(), 0) << terminal.screen();
  EXPECT_THAT(terminal.screen(), HasSubstr("httpd, "));
  EXPECT_THAT(terminal.screen(), Not(HasSubstr(token_.pin())));
}

TEST_F(PinTest, GivesTheTerminalItsEchoBackWhenTheQuestionIsInterrupted) {
  PseudoTerminal terminal({keystay_program(), "-list", "-conf", configuration_with_pin("prompt")}, {});
  ASSERT_TRUE(terminal.wait_for_text("PIN of token \"web\": "));
  terminal.wait_for_echo(false);
  terminal.type("\x03");  // Ctrl-C
  EXPECT_EQ(terminal.wait(), -1) << "by SIGINT, as a shell expects it";
  EXPECT_TRUE(terminal.echoes());
}

TEST_F(PinTest, CannotBeAskedForWithoutATerminal) {
  refused(1, HasSubstr("the PIN is to be asked for, but there is no terminal"),
          {"-list", "-conf", configuration_with_pin("prompt")});
}

TEST_F(PinTest, IsRefusedByTheTokenOnceAndNotTriedAgain) {
  const auto wrong = write("wrong.pin", "00000000\n");
  refused(1,
          AllOf(HasSubstr("C_Login: CKR_PIN_INCORRECT (0xa0) for token \"web\""), Not(HasSubstr("00000000"))),
          {"-genkeypair", "-alias", "x", "-keyalg", "EC", "-storepass:file", wrong});
}

class PinFaultTest : public PinTest {
 protected:
  PinFaultTest() : PinTest({.front = test::Front::fault_module}) {}
};

TEST_F(PinFaultTest, IsSentOnceIfItIsWrong) {
  token_.faults().reset_calls();
  const test::Outcome outcome = keystay({"-list", "-storepass:file", write("wrong.pin", "00000000")});
  EXPECT_EQ(outcome.exit_code, 1) << outcome;
  EXPECT_EQ(token_.faults().calls(test::Function::C_Login), 1U);
}

TEST_F(PinFaultTest, IsNotSentIfItsFileHoldsWhatNobodySees) {
  token_.faults().reset_calls();
  const std::pair<std::string, std::size_t> files[] = {{token_.pin() + "\u00A0", token_.pin().size()},
                                                       {"\u200B" + token_.pin(), 0},
                                                       {token_.pin() + "\u0085\n", token_.pin().size()},
                                                       {token_.pin() + " \n", token_.pin().size()},
                                                       {"12\xFF"
                                                        "34",
                                                        2}};
  for (const auto& [content, offset] : files) {
    const std::string file = write("odd.pin", content);
    refused(1,
            AllOf(HasSubstr("C_Login is not tried: the PIN from file:" + file),
                  HasSubstr("at byte offset " + std::to_string(offset) + " "), Not(HasSubstr(token_.pin()))),
            {"-list", "-storepass:file", file});
  }
  EXPECT_EQ(token_.faults().calls(test::Function::C_Login), 0U);
}

TEST_F(PinFaultTest, IsNotSentToATokenThatTheNextMistakeLocks) {
  token_.faults().set_token_flags(CKF_USER_PIN_FINAL_TRY);
  token_.faults().reset_calls();
  const test::Outcome outcome = keystay({"-list"});
  EXPECT_EQ(outcome.exit_code, 1) << outcome;
  EXPECT_THAT(outcome.error, HasSubstr("one more wrong PIN locks the token"));
  EXPECT_EQ(token_.faults().calls(test::Function::C_Login), 0U);
}

TEST_F(PinFaultTest, IsNotSentToALockedToken) {
  token_.faults().set_token_flags(CKF_USER_PIN_LOCKED);
  token_.faults().reset_calls();
  const test::Outcome outcome = keystay({"-list"});
  EXPECT_EQ(outcome.exit_code, 1) << outcome;
  EXPECT_THAT(outcome.error, HasSubstr("the PIN is locked: the security officer must reset it"));
  EXPECT_EQ(token_.faults().calls(test::Function::C_Login), 0U);
}

// The command line of a running program is everybody's to read.
TEST_F(PinFaultTest, DisappearsFromTheProcessTable) {
  token_.faults().hold(test::Function::C_Login);
  test::Process process({keystay_program(), "-list", "-storepass", token_.pin(), "-keypass", token_.pin()},
                        {.environment = {{"KEYSTAY_CONF", configuration_}}});
  ASSERT_TRUE(token_.faults().wait_until_inside(test::Function::C_Login, 1));
  const std::string command_line = test::read_file("/proc/" + std::to_string(process.pid()) + "/cmdline");
  token_.faults().release(test::Function::C_Login);
  EXPECT_THAT(command_line, HasSubstr("-storepass"));
  EXPECT_THAT(command_line, Not(HasSubstr(token_.pin())));
  EXPECT_TRUE(process.wait(std::chrono::seconds(60)).ok());
}

}  // namespace
}  // namespace keystay::tools
