// Two writing commands at once, in each pair of them. What they leave is what those that succeeded would have
// left one after the other; who lost says so, and has withdrawn what it made.
#include <algorithm>
#include <array>
#include <chrono>
#include <map>
#include <thread>

#include "tests/keystore-tools/saved_token.h"

namespace keystay::tools {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

class RaceTest : public SavedTokenTest {
 protected:
  using Commands = std::array<test::Arguments, 2>;
  using Outcomes = std::array<test::Outcome, 2>;
  using Winners = std::array<bool, 2>;

  struct Tally {
    int both = 0;
    int one = 0;
    int none = 0;
  };

  // The key `web` with a CA's chain, and the key `mail` with a self-signed certificate.
  RaceTest() {
    make_alias("web");
    done({"-importcert", "-alias", "web", "-file", write("web.pem", reply("web"))});
    make_alias("mail");
    save("before");
  }

  [[nodiscard]] test::Arguments generation(const std::string& alias) const {
    return {"-genkeypair", "-alias", alias, "-keyalg", "EC", "-dname", "CN=localhost"};
  }
  [[nodiscard]] test::Arguments renewal(const std::string& alias, const std::string& name) const {
    return {"-importcert", "-alias", alias, "-file", write(name, reply(alias))};
  }
  [[nodiscard]] test::Arguments trust(const std::string& alias, const std::string& pem) const {
    return {"-importcert", "-noprompt", "-alias", alias, "-file", write(alias + "-root.pem", pem)};
  }
  [[nodiscard]] test::Arguments trust(const std::string& alias) const { return trust(alias, ca_.root_pem()); }
  [[nodiscard]] static test::Arguments deletion(const std::string& alias) {
    return {"-delete", "-alias", alias};
  }
  [[nodiscard]] static test::Arguments renaming(const std::string& alias, const std::string& new_alias) {
    return {"-changealias", "-alias", alias, "-destalias", new_alias};
  }

  // Lets both run from the saved state, time and again. `least` is how many succeed at least.
  Tally race(const Commands& commands, int least = 0) {
    SCOPED_TRACE(testing::PrintToString(commands));
    const std::map<Winners, std::vector<State>> expected = one_after_the_other(commands);
    Tally tally;
    const int rounds = soak() ? 40 : 2;
    for (int round = 0; round < rounds && !HasFailure(); ++round) {
      SCOPED_TRACE("round " + std::to_string(round));
      restore("before");
      const Outcomes outcomes = at_once(commands);
      const Winners winners{outcomes[0].ok(), outcomes[1].ok()};
      SCOPED_TRACE(testing::PrintToString(outcomes));
      for (const test::Outcome& outcome : outcomes) check(outcome);
      const int successes = winners[0] + winners[1];
      EXPECT_GE(successes, least);
      ++(successes == 2 ? tally.both : successes == 1 ? tally.one : tally.none);
      check_token(expected.contains(winners) ? expected.at(winners) : std::vector<State>{});
      if (round == 0 || soak()) check_keys();
    }
    return tally;
  }

 private:
  // Both log in at one moment, and have looked at the token before either may write.
  [[nodiscard]] Outcomes at_once(const Commands& commands) {
    test::FaultControl& faults = token_.faults();
    faults.reset();
    faults.hold(test::Function::C_Login);
    faults.hold_writes();
    faults.delay_writes(1ms, 1.0);
    std::vector<test::Process> processes;
    for (const test::Arguments& command : commands) processes.push_back(start(command));
    EXPECT_TRUE(faults.wait_until_inside(test::Function::C_Login, 2)) << "they do not meet";
    faults.release(test::Function::C_Login);
    wait_for_quiet();
    EXPECT_GE(faults.inside_writes(), 1);
    faults.release_writes();
    Outcomes outcomes;
    for (std::size_t i = 0; i < outcomes.size(); ++i) outcomes[i] = processes[i].wait(60s);
    faults.reset();
    return outcomes;
  }

  // Until nobody calls the module any more: one is held at its first write, the other too or at its turn.
  void wait_for_quiet() {
    const auto until = std::chrono::steady_clock::now() + 20s;
    std::uint64_t calls = 0;
    do {
      calls = token_.faults().calls();
      std::this_thread::sleep_for(20ms);
    } while ((calls != token_.faults().calls() || token_.faults().inside_writes() == 0) &&
             std::chrono::steady_clock::now() < until);
  }

  [[nodiscard]] test::Process start(const test::Arguments& command) const {
    test::Arguments program{"setsid", "--wait", keystay_program()};
    program.insert(program.end(), command.begin(), command.end());
    return test::Process(program, {.environment = {{"KEYSTAY_CONF", configuration_}}});
  }

  // By who succeeds: the states to which that leads, in either order.
  [[nodiscard]] std::map<Winners, std::vector<State>> one_after_the_other(const Commands& commands) {
    std::map<Winners, std::vector<State>> states;
    restore("before");
    states[{false, false}].push_back(state());
    for (const std::size_t first : {0, 1}) {
      restore("before");
      done(commands[first]);
      Winners winners{};
      winners[first] = true;
      states[winners].push_back(state());
      if (keystay(commands[1 - first]).ok()) states[{true, true}].push_back(state());
    }
    return states;
  }

  void check(const test::Outcome& outcome) const {
    EXPECT_THAT(outcome.error, Not(HasSubstr(token_.pin())));
    if (outcome.ok()) return;
    EXPECT_EQ(outcome.exit_code, 1);
    EXPECT_THAT(outcome.output, IsEmpty());
    EXPECT_THAT(outcome.error, StartsWith("keystay: "));
    EXPECT_EQ(std::ranges::count(outcome.error, '\n'), 1) << "one message";
    EXPECT_THAT(outcome.error, HasSubstr("alias \""));
    EXPECT_THAT(outcome.error, Not(HasSubstr("CKR_")));
  }

  void check_token(const std::vector<State>& expected) const {
    const State left = state();
    EXPECT_THAT(expected, testing::Contains(left));
    EXPECT_THAT(done({"-list"}), Not(HasSubstr("nfinished"))) << "nobody was killed";
    if (!soak()) return;
    done({"-cleanup", "-noprompt"});
    EXPECT_EQ(state(), left) << "-cleanup finds nothing";
  }

  void check_keys() const {
    for (const std::string& entry : entries()) {
      if (entry.find(" PrivateKeyEntry ") != std::string::npos) check_key(entry.substr(0, entry.find(' ')));
    }
  }

  // It signs, and its certificate is for it.
  void check_key(const std::string& alias) const {
    const auto openssl = [](const test::Arguments& arguments, const std::string& input) {
      test::Arguments command{"openssl"};
      command.insert(command.end(), arguments.begin(), arguments.end());
      return test::run_or_throw(command, {.input = input});
    };
    const std::string request = done({"-certreq", "-alias", alias});
    const std::string certificate = done({"-exportcert", "-rfc", "-alias", alias});
    openssl({"req", "-verify", "-noout"}, request);
    EXPECT_EQ(openssl({"req", "-noout", "-pubkey"}, request),
              openssl({"x509", "-noout", "-pubkey"}, certificate));
  }
};

TEST_F(RaceTest, OfTwoGenerationsOfOneAliasOneMakesIt) {
  const Tally tally = race({generation("new"), generation("new")}, 1);
  EXPECT_EQ(tally.both, 0);
}

TEST_F(RaceTest, GenerationsOfTwoAliasesBothSucceed) {
  EXPECT_EQ(race({generation("new"), generation("newer")}, 2).one, 0);
}

TEST_F(RaceTest, AGenerationBesideARenewal) { race({generation("new"), renewal("web", "new.pem")}, 2); }

TEST_F(RaceTest, AGenerationBesideATrustedImportOfThatName) { race({generation("new"), trust("new")}); }

TEST_F(RaceTest, AGenerationBesideADeletion) { race({generation("new"), deletion("web")}, 2); }

TEST_F(RaceTest, AGenerationBesideARenamingToThatName) {
  race({generation("new"), renaming("web", "new")}, 1);
}

TEST_F(RaceTest, TwoRenewalsOfOneAlias) { race({renewal("web", "one.pem"), renewal("web", "two.pem")}, 2); }

TEST_F(RaceTest, TwoRenewalsOfTwoAliases) {
  race({renewal("web", "one.pem"), renewal("mail", "two.pem")}, 2);
}

TEST_F(RaceTest, ARenewalBesideATrustedImportOfItsRoot) {
  race({renewal("web", "new.pem"), trust("new")}, 2);
}

TEST_F(RaceTest, ARenewalBesideTheDeletionOfItsAlias) {
  race({renewal("web", "new.pem"), deletion("web")}, 1);
}

TEST_F(RaceTest, ARenewalBesideTheDeletionOfAnAliasWithTheSameIssuers) {
  race({renewal("mail", "new.pem"), deletion("web")}, 2);
}

TEST_F(RaceTest, ARenewalBesideTheRenamingOfItsAlias) {
  race({renewal("web", "new.pem"), renaming("web", "new")}, 1);
}

TEST_F(RaceTest, TwoTrustedImportsOfOneName) {
  const test::TestCa other;
  write("other.pem", other.root_pem());
  test::Arguments second = trust("new");
  second.back() = token_.directory().path() / "other.pem";
  EXPECT_EQ(race({trust("new"), second}).both, 0);
}

TEST_F(RaceTest, TwoTrustedImportsOfOneCertificate) { race({trust("new"), trust("newer")}); }

TEST_F(RaceTest, ATrustedImportBesideADeletion) {
  race({trust("new", ca_.intermediate_pem()), deletion("web")}, 1);
}

TEST_F(RaceTest, ATrustedImportBesideARenamingToThatName) { race({trust("new"), renaming("web", "new")}); }

TEST_F(RaceTest, TwoDeletionsOfOneAlias) { race({deletion("web"), deletion("web")}, 1); }

TEST_F(RaceTest, DeletionsOfTwoAliases) { race({deletion("web"), deletion("mail")}, 2); }

TEST_F(RaceTest, ADeletionBesideARenaming) { race({deletion("web"), renaming("web", "new")}, 1); }

TEST_F(RaceTest, TwoRenamingsToOneName) {
  EXPECT_EQ(race({renaming("web", "new"), renaming("mail", "new")}).both, 0);
}

TEST_F(RaceTest, TwoRenamingsOfOneAlias) { race({renaming("web", "new"), renaming("web", "newer")}, 1); }

}  // namespace
}  // namespace keystay::tools
