// What goes wrong around a token: each gives one clear message with its remedy, and changes nothing.
#include "tests/keystore-tools/keystay_program.h"

namespace keystay::tools {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

class BadInputTest : public KeystayTest {
 protected:
  // A configuration whose one token has this module and label.
  std::string configuration(const std::string& module, const std::string& label) const {
    return write("bad.toml", "[token.web]\nmodule = \"" + module + "\"\nlabel = \"" + label +
                                 "\"\npin = \"file:" + token_.pin_file().string() + "\"\n");
  }
  void refuse(int code, const testing::Matcher<std::string>& message, const std::string& conf) const {
    refused(code, message, {"-genkeypair", "-alias", "x", "-keyalg", "EC", "-conf", conf});
  }
};

TEST_F(BadInputTest, AbsentModule) {
  refuse(1, AllOf(StartsWith("keystay: "), HasSubstr("/usr/lib/absent.so")),
         configuration("/usr/lib/absent.so", "web"));
}

TEST_F(BadInputTest, ModuleOfAnotherKind) {
  const auto text = write("text.so", "not a library");
  refuse(1, HasSubstr(text), configuration(text, "web"));
}

// It would be ignored: all of the token is listed, and any alias of it is deleted.
TEST_F(BadInputTest, UriOfAnObjectInThePlaceOfAToken) {
  const std::string token = "pkcs11:token=web;object=a?module-path=" + token_.module().string();
  refused(1, HasSubstr("leave object, id and type out"), {"-list", "-token", token});
  const auto store = write("store", "# Keystay key store, version 1\ntoken = \"" + token + "\"\n");
  refused(1, HasSubstr("leave object, id and type out"), {"-list", "-keystore", store});
}

TEST_F(BadInputTest, UriThatIsNone) {
  refused(1, HasSubstr("character 17, in \"token\": a blank is written %20"),
          {"-list", "-token", "pkcs11:token=web web"});
}

TEST_F(BadInputTest, AbsentToken) {
  refuse(1, HasSubstr("\"other\""), configuration(token_.module(), "other"));
}

TEST_F(BadInputTest, TwoTokensOfOneLabel) {
  const std::string serial = token_.add_token("web");
  refused(1, HasSubstr("serial"), {"-list"});
  const auto conf =
      write("serial.toml", "[token.web]\nmodule = \"" + token_.module().string() + "\"\nserial = \"" +
                               serial + "\"\npin = \"file:" + token_.pin_file().string() + "\"\n");
  EXPECT_THAT(done({"-list", "-conf", conf}), HasSubstr("serial " + serial));
}

TEST_F(BadInputTest, BrokenToml) {
  refuse(1, HasSubstr("broken.toml:2: this is not TOML: "), write("broken.toml", "[token.web]\nmodule = \n"));
  refuse(1, HasSubstr("broken.toml:2: token.web.modul: unknown key; did you mean \"module\"?"),
         write("broken.toml", "[token.web]\nmodul = \"/m.so\"\n"));
}

TEST_F(BadInputTest, AbsentConfiguration) {
  refuse(
      1,
      testing::Eq(
          "keystay: cannot read the configuration file /nonexistent/keystay.toml: No such file or directory; "
          "create it, or name another one in KEYSTAY_CONF\n"),
      "/nonexistent/keystay.toml");
}

TEST_F(BadInputTest, UnknownToken) {
  refused(1, HasSubstr("unknown token \"wep\"; configured are: web"), {"-list", "-token", "wep"});
}

TEST_F(BadInputTest, NoDefaultAmongSeveralTokens) {
  const std::string section = "\nmodule = \"" + token_.module().string() +
                              "\"\nlabel = \"web\"\npin = \"file:" + token_.pin_file().string() + "\"\n";
  const auto conf = write("two.toml", "[token.a]" + section + "[token.b]" + section);
  refused(1, HasSubstr("no token is named, and there is no default one; configured are: a, b"),
          {"-list", "-conf", conf});
  done({"-list", "-conf", conf, "-token", "b"});
}

TEST_F(BadInputTest, UnknownOption) {
  refused(2, testing::Eq("keystay: unknown option -keylag of -genkeypair; did you mean \"-keyalg\"?\n"),
          {"-genkeypair", "-alias", "x", "-keylag", "EC"});
  refused(2, StartsWith("keystay: unknown option -frobnicate of -list; known here: "),
          {"-list", "-frobnicate"});
  refused(2, testing::Eq("keystay: \"httpd\" belongs to no option; see keystay -help\n"), {"-list", "httpd"});
}

TEST_F(BadInputTest, UnknownCommand) {
  refused(2, testing::Eq("keystay: \"-lst\" is no command; did you mean \"list\"?\n"), {"-lst"});
  refused(2, testing::Eq("keystay: no command is given; see keystay -help\n"), {});
  refused(2, StartsWith("keystay: keystay has no -keypasswd; instead: nothing: one PIN guards all keys"),
          {"-keypasswd", "-alias", "x"});
}

TEST_F(BadInputTest, OptionWithoutValue) {
  refused(2, testing::Eq("keystay: option -alias needs a value\n"), {"-list", "-alias"});
  refused(2, testing::Eq("keystay: option -storepass needs a value\n"), {"-list", "-storepass"});
}

// What a variable of a script that was never set leaves behind means "nothing", and never "everything".
TEST_F(BadInputTest, EmptyValue) {
  make_alias("httpd");
  for (const char* option :
       {"-alias", "-token", "-conf", "-keystore", "-storepass:file", "-storepass:env", "-storepass"}) {
    refused(2, HasSubstr("has an empty value"), {"-list", option, ""});
    refused(2, HasSubstr("has an empty value"), {"list", std::string("-").append(option).append("=")});
  }
  refused(2, HasSubstr("option -alias has an empty value"), {"-delete", "-alias", ""});
  refused(2, HasSubstr("option -dname has an empty value"),
          {"-genkeypair", "-alias", "x", "-keyalg", "EC", "-dname", ""});
  refused(2, HasSubstr("option -file has an empty value"), {"-exportcert", "-alias", "httpd", "-file", ""});
}

TEST_F(BadInputTest, MoreThanOnePin) {
  const std::string pin = token_.pin();
  const std::string file = token_.pin_file();
  refused(2, HasSubstr("more than one -storepass"),
          {"-list", "-storepass", pin, "-storepass:file", "/nonexistent"});
  refused(2, HasSubstr("more than one -storepass"), {"-list", "-storepass:env", "X", "-storepass", pin});
  refused(2, HasSubstr("-storepass stands twice"), {"-list", "-storepass", pin, "-storepass", pin});
  refused(2, HasSubstr("-storepass:file"), {"-list", "-storepass:file", file, "-storepass:env", "X"});
  refused(2, HasSubstr("-storepass:file"), {"-list", "-storepass:file", file, "-storepass:file", file});
}

TEST_F(BadInputTest, StoreOfAnotherType) {
  refused(2, HasSubstr("-storetype PKCS12: this program works on key stores of type Keystay only"),
          {"-list", "-storetype", "PKCS12"});
}

TEST_F(BadInputTest, NameThatCannotBeAnAlias) {
  for (const char* alias : {"id:01", "issuer-1", "unfinished-1", "a\nb"}) {
    refused(2, HasSubstr("cannot be an alias: it must be printable text"),
            {"-genkeypair", "-alias", alias, "-keyalg", "EC"});
  }
  for (const char* alias : {"caf\xE9", "\xC0\xAF", "\xED\xA0\x80", "\xF4\x90\x80\x80", "a\xE2\x82"}) {
    refused(2, HasSubstr("an alias is UTF-8 text"), {"-genkeypair", "-alias", alias, "-keyalg", "EC"});
  }
  make_alias("httpd");
  refused(2, HasSubstr("cannot be an alias"), {"-changealias", "-alias", "httpd", "-destalias", "id:02"});
  refused(2, HasSubstr("cannot be an alias"),
          {"-importcert", "-noprompt", "-alias", "issuer-2", "-file", write("root.pem", ca_.root_pem())});
}

// The variable is often set for a server, and its file may name a provider that is not there.
TEST_F(BadInputTest, DoesNotDependOnAnOpensslConfiguration) {
  const auto broken = write(
      "openssl.cnf", "openssl_conf = init\n[init]\nproviders = p\n[p]\nabsent = a\n[a]\nactivate = 1\n");
  done({"-genkeypair", "-alias", "httpd", "-keyalg", "RSA", "-keysize", "2048", "-dname", "CN=localhost"},
       {.environment = {{"OPENSSL_CONF", broken}}});
  EXPECT_THAT(done({"-list", "-v"}, {.environment = {{"OPENSSL_CONF", "/nonexistent/openssl.cnf"}}}),
              HasSubstr("Owner: CN=localhost"));
}

// The token's module may use the same libcrypto and leave errors of its own on the queue.
TEST_F(BadInputTest, RepeatsNoErrorOfAnotherLibrary) {
  make_alias("httpd");
  const auto message = [](const char* extension, const char* reason) {
    return testing::Eq(std::string("keystay: extension \"") + extension + "\": write " + reason + "\n");
  };
  for (const char* command : {"-certreq", "-genkeypair"}) {
    refused(2, message("bc=ca:maybe", "bc=ca:true,pathlen:0: invalid boolean string"),
            command == std::string("-certreq")
                ? test::Arguments{command, "-alias", "httpd", "-ext", "bc=ca:maybe"}
                : test::Arguments{command, "-alias", "x", "-keyalg", "EC", "-dname", "CN=a", "-ext",
                                  "bc=ca:maybe"});
  }
}

class SickTokenTest : public KeystayTest {
 protected:
  SickTokenTest() : KeystayTest({.front = test::Front::fault_module}) {}
};

TEST_F(SickTokenTest, SaysWhichCallFailedWithWhichCode) {
  token_.faults().fail(test::Function::C_GenerateKeyPair, CKR_DEVICE_ERROR, test::kEveryCall);
  const test::Outcome outcome = keystay({"-genkeypair", "-alias", "x", "-keyalg", "EC"});
  EXPECT_EQ(outcome.exit_code, 1) << outcome;
  EXPECT_THAT(outcome.error, HasSubstr("C_GenerateKeyPair: CKR_DEVICE_ERROR (0x30)"));
  EXPECT_THAT(outcome.error, HasSubstr("token \"web\""));
}

TEST_F(SickTokenTest, SurvivesASessionThatIsLostOnTheWay) {
  make_alias("httpd");
  token_.faults().fail(test::Function::C_FindObjectsInit, CKR_SESSION_HANDLE_INVALID, 1);
  EXPECT_THAT(done({"-list"}), HasSubstr("httpd, "));
}

// Whoever follows keytool's manual looks for what is written there.
TEST_F(BadInputTest, NamesOptionsAsTheUserWritesThem) {
  refused(2, HasSubstr("-storepass:env excludes -storepass:file"),
          {"-list", "-storepass:env", "A", "-storepass:file", "B"});
  refused(2, HasSubstr("--storepass-env excludes --storepass-file"),
          {"list", "--storepass-env", "A", "--storepass-file", "B"});
  refused(2,
          testing::Eq("keystay: unknown option -storepas:file of -list; did you mean \"-storepass:file\"?\n"),
          {"-list", "-storepas:file", "B"});
  refused(2, testing::Eq("keystay: unknown option --keylag of -genkeypair; did you mean \"--keyalg\"?\n"),
          {"genkeypair", "--keylag", "EC"});
  refused(2, HasSubstr("option --alias needs a value"), {"list", "--alias"});
  refused(2, HasSubstr("option -STOREPASS:FILE has an empty value"), {"-list", "-STOREPASS:FILE", ""});
  refused(2, HasSubstr(": --keyalg is required"), {"genkeypair"});
  refused(2, HasSubstr(": -keyalg is required"), {"-genkeypair"});
  refused(2, HasSubstr(": --storetype JKS: "), {"list", "--storetype", "JKS"});
  refused(2, HasSubstr("more than one --storepass"), {"list", "--storepass", "1", "--storepass-env", "A"});
}

}  // namespace
}  // namespace keystay::tools
