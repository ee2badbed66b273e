// Every writing command, killed at each of its module calls. What it leaves is the old state or the new one,
// and perhaps objects that -list shows as unfinished and -cleanup removes; and the command can be given
// again.

#include "native/config/key_store_file.h"
#include "tests/keystore-tools/key_files.h"
#include "tests/keystore-tools/saved_token.h"

namespace keystay::tools {
namespace {

using testing::AnyOf;
using testing::Eq;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr std::int64_t kMostCalls = 2000;

class InterruptedTest : public SavedTokenTest {
 protected:
  // Kills it at its first, second … call until it comes to its end.
  void sweep(const test::Arguments& command) {
    SCOPED_TRACE(testing::PrintToString(command));
    save("before");
    const State old_state = state();
    done(command);
    const State new_state = state();
    std::uint64_t looked_at = 0;  // writes that the last state that was looked at had
    std::uint64_t written = 0;    // by the process before, which died one call earlier
    for (std::int64_t n = 1; n < kMostCalls; ++n) {
      restore("before");
      token_.faults().reset();
      token_.faults().kill_at_call(n);
      const test::Outcome outcome = keystay(command);
      const bool is_done = token_.faults().kill_is_due();
      const std::uint64_t writes = token_.faults().writes();
      token_.faults().reset();
      ASSERT_EQ(outcome.ok(), is_done) << "call " << n << outcome;
      if (is_done || soak() || written != looked_at) look(command, n, old_state, new_state);
      looked_at = written;
      written = writes;
      if (is_done) {
        EXPECT_GT(n, 20) << "the calls of the command were not counted";
        return;
      }
    }
    FAIL() << "does not come to an end";
  }

 private:
  void look(const test::Arguments& command, std::int64_t n, const State& old_state, const State& new_state) {
    SCOPED_TRACE("killed at call " + std::to_string(n));
    save("killed");
    const std::vector<std::string> left = entries();
    EXPECT_THAT(left, AnyOf(Eq(old_state.entries), Eq(new_state.entries)));
    done({"-cleanup", "-noprompt"});
    EXPECT_EQ(entries(), left) << "-cleanup changes no alias";
    // A renaming changes labels before it counts, and goes on from there when it is given again.
    const bool may_have_other_labels = command.front() == "-changealias" && left == old_state.entries;
    if (!may_have_other_labels) {
      EXPECT_EQ(labels(), left == new_state.entries ? new_state.labels : old_state.labels);
    }
    EXPECT_THAT(done({"-list"}), Not(HasSubstr("nfinished")));

    restore("killed");
    test::Outcome again = keystay(command);
    // Two objects of one key would be ambiguous, and nobody can tell whether an import is still at work.
    if (again.error.find("unfinished") != std::string::npos) {
      done({"-cleanup", "-noprompt"});
      again = keystay(command);
    }
    EXPECT_TRUE(again.ok() || left == new_state.entries) << again;
    done({"-cleanup", "-noprompt"});
    EXPECT_EQ(entries(), new_state.entries) << "after the command was given again";
    EXPECT_EQ(labels(), new_state.labels);
  }
};

TEST_F(InterruptedTest, GenerationIsAllOrNothing) {
  make_alias("other");
  sweep({"-genkeypair", "-alias", "httpd", "-keyalg", "EC", "-dname", "CN=localhost"});
}

TEST_F(InterruptedTest, GenerationWithoutACertificateIsAllOrNothing) {
  sweep({"-genkeypair", "-alias", "httpd", "-keyalg", "EC", "-keysize", "384"});
}

TEST_F(InterruptedTest, ImportOfASoftwareKeyIsAllOrNothing) {
  configuration_ = token_.write_configuration("import = \"allow\"\n");
  const SoftwareChain made = KeyFiles(token_.directory()).chain("ec", ca_);
  make_alias("other");
  sweep({"-importkeystore", "-srckeystore", made.key, "-srccerts", made.certificates, "-destalias", "httpd"});
}

TEST_F(InterruptedTest, RenewalHasTheOldOrTheNewChain) {
  make_alias("httpd");
  sweep({"-importcert", "-alias", "httpd", "-file", write("reply.pem", reply("httpd"))});
}

TEST_F(InterruptedTest, ATrustedCertificateIsThereOrNot) {
  sweep({"-importcert", "-noprompt", "-alias", "root", "-file", write("root.pem", ca_.root_pem())});
}

TEST_F(InterruptedTest, DeletionEndsTheAliasOrLeavesIt) {
  make_alias("other");
  make_alias("httpd");
  done({"-importcert", "-alias", "httpd", "-file", write("reply.pem", reply("httpd"))});
  sweep({"-delete", "-alias", "httpd"});
}

TEST_F(InterruptedTest, DeletionOfATrustedCertificateEndsItOrLeavesIt) {
  done({"-importcert", "-noprompt", "-alias", "root", "-file", write("root.pem", ca_.root_pem())});
  sweep({"-delete", "-alias", "root"});
}

TEST_F(InterruptedTest, RenamingHasTheOldOrTheNewName) {
  make_alias("httpd");
  sweep({"-changealias", "-alias", "httpd", "-destalias", "www"});
}

TEST_F(InterruptedTest, SecretKeysAreMadeBroughtRenamedAndDeletedOrNot) {
  configuration_ = token_.write_configuration("import = \"allow\"\n");
  make_alias("other");
  sweep({"-genseckey", "-alias", "data", "-keyalg", "AES"});
  sweep({"-importseckey", "-alias", "brought", "-keyalg", "HmacSHA256", "-file",
         write("key", std::string(32, 'k'))});
  sweep({"-changealias", "-alias", "data", "-destalias", "files"});
  sweep({"-delete", "-alias", "files"});
}

// pkcs11-tool gives a key no CKA_ID unless it is told to: only the label joins the halves.
TEST_F(InterruptedTest, RenamingOfAKeyWithoutIdHasTheOldOrTheNewName) {
  token_.pkcs11_tool({"--keypairgen", "--key-type", "EC:prime256v1", "--label", "httpd", "--usage-sign"});
  sweep({"-changealias", "-alias", "httpd", "-destalias", "www"});
}

TEST_F(InterruptedTest, CleanupCanBeGivenAgain) {
  make_alias("httpd");
  done({"-importcert", "-alias", "httpd", "-file", write("reply.pem", reply("httpd"))});
  token_.faults().kill_at_call(0);
  token_.pkcs11_tool({"--delete-object", "--type", "privkey", "--label", "httpd"});
  EXPECT_THAT(entries(), IsEmpty()) << "the leaf of a key that is gone is nobody's trust anchor";
  EXPECT_THAT(done({"-list"}), HasSubstr("httpd, unfinished: public key whose private key is gone"));
  sweep({"-cleanup", "-noprompt"});
}

// An alias that its own key store does not show would be lost to whoever made it.
TEST_F(InterruptedTest, GenerationIntoAListNeverHidesTheAlias) {
  const std::string file =
      write("keys.ks", config::format_key_store({"web", config::KeyStoreScope::listed, {}, {}}));
  const test::Arguments command{"-genkeypair", "-alias",  "httpd",     "-keyalg", "EC",
                                "-dname",      "CN=here", "-keystore", file};
  save("empty");
  std::uint64_t looked_at = 1;
  std::uint64_t written = 0;
  for (std::int64_t n = 1; n < kMostCalls; ++n) {
    restore("empty");
    write("keys.ks", config::format_key_store({"web", config::KeyStoreScope::listed, {}, {}}));
    token_.faults().reset();
    token_.faults().kill_at_call(n);
    const bool is_done = keystay(command).ok();
    const std::uint64_t writes = token_.faults().writes();
    token_.faults().reset();
    if (is_done || written != looked_at) {
      const bool exists = done({"-list"}).find("httpd, ") != std::string::npos;
      const bool is_shown = done({"-list", "-keystore", file}).find("httpd, ") != std::string::npos;
      EXPECT_EQ(is_shown, exists) << "killed at call " << n;
    }
    looked_at = written;
    written = writes;
    if (is_done) return;
  }
  FAIL() << "does not come to an end";
}

}  // namespace
}  // namespace keystay::tools
