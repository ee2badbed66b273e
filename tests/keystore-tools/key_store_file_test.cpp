#include "native/config/key_store_file.h"

#include "tests/keystore-tools/keystay_program.h"

namespace keystay::tools {
namespace {

using config::DeleteAction;
using config::KeyStoreFile;
using config::KeyStoreScope;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

class KeyStoreFileTest : public KeystayTest {
 protected:
  void write_store(KeyStoreScope scope, DeleteAction on_delete,
                   const std::vector<std::string>& aliases = {}) const {
    write("keys.ks", config::format_key_store({"web", scope, on_delete, aliases}));
  }
  std::vector<std::string> listed() const { return config::read_key_store(file_).aliases; }

  std::filesystem::path file_ = token_.directory().path() / "keys.ks";
};

TEST_F(KeyStoreFileTest, IsMadeByTheFirstCommandThatWrites) {
  done({"-genkeypair", "-alias", "httpd", "-keyalg", "EC", "-keystore", file_, "-token", "web"});
  EXPECT_EQ(config::read_key_store(file_),
            (KeyStoreFile{"web", KeyStoreScope::all, DeleteAction::destroy, {}}));
  EXPECT_THAT(done({"-list", "-keystore", file_}), HasSubstr("httpd, "));
}

TEST_F(KeyStoreFileTest, ListsOnlyItsOwnAliases) {
  make_alias("httpd");
  make_alias("hidden");
  write_store(KeyStoreScope::listed, DeleteAction::destroy, {"httpd"});
  const std::string list = done({"-list", "-keystore", file_});
  EXPECT_THAT(list, HasSubstr("httpd, "));
  EXPECT_THAT(list, HasSubstr("contains 1 entry"));
  EXPECT_THAT(list, Not(HasSubstr("hidden")));
  const auto not_listed =
      HasSubstr("alias \"hidden\" is on token \"web\", but not on the list of the key store file " +
                file_.string() + "; add it to `aliases` there");
  for (const char* command : {"-certreq", "-delete", "-exportcert", "-exportref", "-list"})
    refused(1, not_listed, {command, "-alias", "hidden", "-keystore", file_});
  refused(1, not_listed, {"-changealias", "-alias", "hidden", "-destalias", "shown", "-keystore", file_});
  refused(1, HasSubstr("alias \"nobody\" does not exist"),
          {"-certreq", "-alias", "nobody", "-keystore", file_});
  refused(1, HasSubstr("alias \"hidden\" already exists (token"),
          {"-genkeypair", "-alias", "hidden", "-keyalg", "EC", "-keystore", file_});
}

TEST_F(KeyStoreFileTest, FollowsWhatHappensToItsAliases) {
  write_store(KeyStoreScope::listed, DeleteAction::destroy);
  done({"-genkeypair", "-alias", "httpd", "-keyalg", "EC", "-keystore", file_});
  EXPECT_THAT(listed(), ElementsAre("httpd"));
  done({"-changealias", "-alias", "httpd", "-destalias", "ftpd", "-keystore", file_});
  EXPECT_THAT(listed(), ElementsAre("ftpd"));
  done({"-importcert", "-noprompt", "-alias", "root", "-file", write("root.pem", ca_.root_pem()), "-keystore",
        file_});
  EXPECT_THAT(listed(), ElementsAre("ftpd", "root"));
  done({"-delete", "-alias", "ftpd", "-keystore", file_});
  done({"-delete", "-alias", "root", "-keystore", file_});
  EXPECT_THAT(listed(), IsEmpty());
  EXPECT_THAT(objects(), IsEmpty());
}

TEST_F(KeyStoreFileTest, ForgetsAnAliasAndLeavesItOnTheTokenIfThatIsItsRule) {
  make_alias("httpd");
  write_store(KeyStoreScope::listed, DeleteAction::forget, {"httpd"});
  done({"-delete", "-alias", "httpd", "-keystore", file_});
  EXPECT_THAT(listed(), IsEmpty());
  EXPECT_THAT(objects(), SizeIs(3));
}

class KeyStoreFileOfASickTokenTest : public KeystayTest {
 protected:
  KeyStoreFileOfASickTokenTest() : KeystayTest({.front = test::Front::fault_module}) {}
};

TEST_F(KeyStoreFileOfASickTokenTest, TakesAKeyBackThatGotNoCertificateWhateverItsRuleForDeleting) {
  const std::string file =
      write("keys.ks", config::format_key_store({"web", KeyStoreScope::listed, DeleteAction::forget, {}}));
  token_.faults().fail(test::Function::C_SignInit, CKR_KEY_FUNCTION_NOT_PERMITTED, test::kEveryCall);
  refused(1, HasSubstr("C_SignInit"),
          {"-genkeypair", "-alias", "x", "-keyalg", "EC", "-dname", "CN=a", "-keystore", file});
  EXPECT_THAT(config::read_key_store(file).aliases, IsEmpty());
}

TEST_F(KeyStoreFileTest, MayNameItsTokenByAUriAndNeedsNoConfigurationThen) {
  make_alias("httpd");
  const std::string uri = "pkcs11:token=web?module-path=" + token_.module().string() +
                          "&pin-source=file:" + token_.pin_file().string();
  write("keys.ks", config::format_key_store({uri, KeyStoreScope::all, DeleteAction::destroy, {}}));
  const test::RunOptions missing{.environment = {{"KEYSTAY_CONF", "/nonexistent/keystay.toml"}}};
  refused(1, HasSubstr("cannot read the configuration file /nonexistent/keystay.toml"),
          {"-list", "-keystore", file_}, missing);
  const test::RunOptions nowhere{.environment = {{"KEYSTAY_CONF", ""}}};  // nobody names a file
  EXPECT_THAT(done({"-list", "-keystore", file_}, nowhere), HasSubstr("httpd, "));
  EXPECT_THAT(done({"-list", "-keystore", file_, "-storepass:file", token_.pin_file()}, nowhere),
              HasSubstr("httpd, "));
}

TEST_F(KeyStoreFileTest, IsNotOneOfAnotherKind) {
  write("keys.ks", "\xfe\xed\xfe\xed");
  refused(1, HasSubstr("keys.ks:1: this is not a key store file of Keystay"), {"-list", "-keystore", file_});
  EXPECT_EQ(test::read_file(file_), "\xfe\xed\xfe\xed");
}

// "The whole token, and -delete destroys" must never stand in for a file that is not there.
TEST_F(KeyStoreFileTest, IsNeverGuessedByACommandThatReadsChangesOrDestroys) {
  make_alias("httpd");
  const std::string reply_file = write("reply.pem", reply("httpd"));
  const std::filesystem::path& directory = token_.directory().path();
  const auto missing = directory / "misspelt.ks";
  const auto dangling = directory / "dangling.ks";
  std::filesystem::create_symlink(directory / "nowhere.ks", dangling);
  const auto inside_a_file = std::filesystem::path(write("plain", "")) / "keys.ks";
  const auto nowhere = directory / "no-such-directory" / "keys.ks";
  for (const auto& store :
       {missing, dangling, inside_a_file, nowhere, directory, std::filesystem::path(write("empty.ks", "")),
        std::filesystem::path(write("other.ks", "# Keystay key store, version 9\n"))}) {
    for (const test::Arguments& command : {
             test::Arguments{"-delete", "-alias", "httpd"},
             {"-changealias", "-alias", "httpd", "-destalias", "www"},
             {"-importcert", "-alias", "httpd", "-file", reply_file},
             {"-list"},
             {"-certreq", "-alias", "httpd"},
             {"-exportcert", "-alias", "httpd"},
             {"-exportref", "-alias", "httpd"},
         }) {
      test::Arguments line = command;
      line.insert(line.end(), {"-keystore", store, "-token", "web"});
      refused(1, HasSubstr(store.filename()), line);
    }
  }
  for (const auto& store : {missing, directory / "nowhere.ks"}) EXPECT_FALSE(std::filesystem::exists(store));
}

TEST_F(KeyStoreFileTest, IsMadeOnlyWithAnAliasAndSaidSo) {
  const auto made = [&](const test::Arguments& arguments) {
    const test::Outcome outcome = keystay(arguments);
    EXPECT_TRUE(outcome.ok()) << outcome;
    return outcome.error;
  };
  EXPECT_THAT(made({"-genkeypair", "-alias", "httpd", "-keyalg", "EC", "-keystore", file_}),
              HasSubstr("made the key store file " + file_.string()));
  EXPECT_THAT(made({"-genkeypair", "-alias", "mail", "-keyalg", "EC", "-keystore", file_}),
              Not(HasSubstr("made the key store file")));
  std::filesystem::remove(file_);
  EXPECT_THAT(made({"-importcert", "-noprompt", "-alias", "root", "-file", write("root.pem", ca_.root_pem()),
                    "-keystore", file_}),
              HasSubstr("made the key store file " + file_.string()));
}

TEST_F(KeyStoreFileTest, ThatCannotBeMadeLeavesNoAliasOnTheToken) {
  refused(1, HasSubstr("keys.ks"),
          {"-genkeypair", "-alias", "httpd", "-keyalg", "EC", "-keystore",
           token_.directory().path() / "no-such-directory" / "keys.ks"});
  const auto closed = token_.directory().path() / "closed";
  std::filesystem::create_directory(closed);
  // Not by permissions, which root does not heed: the file's new name is too long for its directory.
  const auto long_name = closed / (std::string(250, 'k') + ".ks");
  refused(1, HasSubstr("cannot write the key store file"),
          {"-genkeypair", "-alias", "httpd", "-keyalg", "EC", "-keystore", long_name});
  refused(1, HasSubstr("cannot write the key store file"),
          {"-importcert", "-noprompt", "-alias", "root", "-file", write("root.pem", ca_.root_pem()),
           "-keystore", long_name});
  EXPECT_TRUE(std::filesystem::is_empty(closed));
}

TEST_F(KeyStoreFileTest, MustAgreeWithTheTokenOfTheCommandLine) {
  write_store(KeyStoreScope::all, DeleteAction::destroy);
  refused(1, HasSubstr("is for token \"web\", not for \"other\""),
          {"-list", "-keystore", file_, "-token", "other"});
}

TEST_F(KeyStoreFileTest, IsTheTokenItselfUnderKeytoolsNameNone) {
  make_alias("httpd");
  EXPECT_THAT(done({"-list", "-keystore", "NONE", "-storetype", "Keystay"}), HasSubstr("httpd, "));
}

}  // namespace
}  // namespace keystay::tools
