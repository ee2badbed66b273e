#include "keystore-tools/keytool_form.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "keystore-tools/command_line.h"
#include "keystore-tools/failure.h"

namespace keystay::tools {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// Keeps the characters that the translation may overwrite.
class CommandLineOf {
 public:
  explicit CommandLineOf(std::vector<std::string> words) : words_(std::move(words)) {
    for (std::string& word : words_) pointers_.push_back(word.data());
  }
  GnuForm translate() { return to_gnu_form(pointers_, takes_value); }
  [[nodiscard]] const std::vector<std::string>& words() const { return words_; }

 private:
  std::vector<std::string> words_;
  std::vector<char*> pointers_;
};

std::vector<std::string> gnu(std::vector<std::string> words) {
  return CommandLineOf(std::move(words)).translate().arguments;
}

TEST(KeytoolForm, BecomesTheGnuForm) {
  EXPECT_THAT(gnu({"-genkeypair", "-alias", "httpd", "-keyalg", "EC"}),
              ElementsAre("genkeypair", "--alias=httpd", "--keyalg=EC"));
}

TEST(KeytoolForm, LeavesTheGnuFormAsItIs) {
  EXPECT_THAT(gnu({"genkeypair", "--alias", "httpd", "--keyalg=EC"}),
              ElementsAre("genkeypair", "--alias=httpd", "--keyalg=EC"));
}

TEST(KeytoolForm, TakesTheTwoWordsOfACommandForOne) {
  EXPECT_THAT(gnu({"group", "status", "--json"}), ElementsAre("groupstatus", "--json"));
  EXPECT_THAT(gnu({"group", "add", "--help"}), ElementsAre("groupadd", "--help"));
  EXPECT_THAT(gnu({"-groupadd", "hsm-d", "-Token", "group"}),
              ElementsAre("groupadd", "hsm-d", "--token=group"));
  EXPECT_THAT(gnu({"Remote", "Enrol", "-Endpoint", "a:1"}), ElementsAre("remoteenrol", "--endpoint=a:1"));
  EXPECT_THAT(gnu({"group", "stats"}), ElementsAre("group", "stats"));
}

TEST(KeytoolForm, MayHaveItsCommandAnywhereAndInAnyLetterCase) {
  EXPECT_THAT(gnu({"-alias", "httpd", "-LIST", "-RFC"}), ElementsAre("list", "--alias=httpd", "--rfc"));
}

TEST(KeytoolForm, KnowsTheOlderNamesOfCommands) {
  EXPECT_THAT(gnu({"-genkey"}), ElementsAre("genkeypair"));
  EXPECT_THAT(gnu({"-import"}), ElementsAre("importcert"));
  EXPECT_THAT(gnu({"-export"}), ElementsAre("exportcert"));
}

TEST(KeytoolForm, LeavesValuesAlone) {
  EXPECT_THAT(gnu({"-genkeypair", "-alias", "list", "-startdate", "-1d", "-dname", "CN=A -B", "-file", "-"}),
              ElementsAre("genkeypair", "--alias=list", "--startdate=-1d", "--dname=CN=A -B", "--file=-"));
  EXPECT_THAT(gnu({"-list", "-alias", "HTTPD"}), ElementsAre("list", "--alias=HTTPD"));
  EXPECT_THAT(gnu({"-exportcert", "-alias", "export"}), ElementsAre("exportcert", "--alias=export"));
}

TEST(KeytoolForm, WritesAModifierOfKeytoolWithADash) {
  EXPECT_THAT(gnu({"-list", "-storepass:file", "F", "-keypass:env", "V"}),
              ElementsAre("list", "--storepass-file=F", "--keypass-env=V"));
}

TEST(KeytoolForm, MayBeEmpty) { EXPECT_THAT(gnu({}), IsEmpty()); }

TEST(KeytoolForm, KeepsThePinOutOfTheArgumentsAndOverwritesIt) {
  for (const char* form : {"-storepass", "--storepass", "-STOREPASS"}) {
    CommandLineOf line({"-list", form, "s3cret"});
    const GnuForm translated = line.translate();
    EXPECT_THAT(translated.arguments, ElementsAre("list"));
    ASSERT_TRUE(translated.pin);
    EXPECT_TRUE(translated.pin->equals(pkcs11::Pin("s3cret")));
    EXPECT_EQ(line.words()[2], std::string(6, '\0'));
  }
  CommandLineOf joined({"list", "--storepass=s3cret"});
  EXPECT_TRUE(joined.translate().pin->equals(pkcs11::Pin("s3cret")));
  EXPECT_EQ(joined.words()[1], "--storepass=" + std::string(6, '\0'));
}

TEST(KeytoolForm, DropsAKeyPasswordBecauseATokenHasOnePinForAllKeys) {
  CommandLineOf line({"-certreq", "-storepass", "s3cret", "-keypass", "0ther"});
  const GnuForm translated = line.translate();
  EXPECT_THAT(translated.arguments, ElementsAre("certreq"));
  EXPECT_TRUE(translated.pin->equals(pkcs11::Pin("s3cret")));
  EXPECT_EQ(line.words()[4], std::string(5, '\0'));
}

// keytool takes what follows such an option for its value, whatever it looks like.
TEST(KeytoolForm, TakesAValueThatLooksLikeAnOption) {
  EXPECT_THAT(gnu({"-list", "-alias", "-Dash"}), ElementsAre("list", "--alias=-Dash"));
  EXPECT_THAT(gnu({"-alias", "-list", "-delete"}), ElementsAre("delete", "--alias=-list"));
  EXPECT_THAT(gnu({"-list", "-alias", "--"}), ElementsAre("list", "--alias=--"));
  EXPECT_THAT(gnu({"-list", "-v", "-rfc"}), ElementsAre("list", "--v", "--rfc"));
}

TEST(KeytoolForm, RefusesAnEmptyOrAMissingValue) {
  EXPECT_THROW((void)gnu({"-list", "-alias", ""}), UsageError);
  EXPECT_THROW((void)gnu({"-list", "--alias="}), UsageError);
  EXPECT_THROW((void)gnu({"-list", "-alias"}), UsageError);
  EXPECT_THROW((void)gnu({"-list", "-storepass", ""}), UsageError);
}

TEST(KeytoolForm, OverwritesASecondPinToo) {
  CommandLineOf line({"-list", "-storepass", "s3cret", "-storepass", "0ther"});
  EXPECT_THROW((void)line.translate(), UsageError);
  EXPECT_EQ(line.words()[4], std::string(5, '\0'));
}

TEST(KeytoolForm, ChangesThePinByKeytoolsNameOfItAndTakesNoNewOneFromTheCommandLine) {
  EXPECT_THAT(gnu({"-storepasswd", "-new:file", "F"}), ElementsAre("change-pin", "--new-file=F"));
  CommandLineOf line({"-storepasswd", "-new", "s3cret"});
  EXPECT_THROW((void)line.translate(), UsageError);
  EXPECT_EQ(line.words()[2], std::string(6, '\0'));
}

TEST(KeytoolForm, OverwritesThePasswordsOfASourceToo) {
  CommandLineOf line({"-importkeystore", "-srcstorepass", "s3cret", "-srckeypass", "0ther", "-J-Xmx64m"});
  const GnuForm translated = line.translate();
  EXPECT_THAT(translated.arguments, ElementsAre("importkeystore"));
  EXPECT_TRUE(translated.passwords.at("srcstorepass").equals(pkcs11::Pin("s3cret")));
  EXPECT_TRUE(translated.passwords.at("srckeypass").equals(pkcs11::Pin("0ther")));
  EXPECT_EQ(line.words()[2], std::string(6, '\0'));
  EXPECT_EQ(line.words()[4], std::string(5, '\0'));
}

TEST(KeytoolForm, NeedsAValueForThePin) { EXPECT_THROW((void)gnu({"-list", "-storepass"}), UsageError); }

TEST(KeytoolForm, IsThatOfMessagesToo) {
  CommandLineOf keytool({"-list", "-Storepass:File", "pin", "--alias=a"});
  const GnuForm form = keytool.translate();
  EXPECT_EQ(as_written("--storepass-file excludes --storepass-env", form),
            "-Storepass:File excludes -storepass:env");
  EXPECT_EQ(as_written("\"--alias\": --keypass-file, --rfc -- a--b --", form),
            "\"--alias\": -keypass:file, -rfc -- a--b --");
  CommandLineOf gnu_form({"list", "--storepass-file", "pin", "-alias", "a"});
  EXPECT_EQ(as_written("--storepass-file excludes --storepass-env; --alias", gnu_form.translate()),
            "--storepass-file excludes --storepass-env; -alias");
}

}  // namespace
}  // namespace keystay::tools
