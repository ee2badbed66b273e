// Every message that a broken keystay.toml can cause: file, line, key, and what to write instead.
#include "tests/config/configuration_error.h"

#include <gmock/gmock.h>

#include "tests/support/temporary_directory.h"

namespace keystay::config {

std::string error_of(std::string_view toml) {
  try {
    static_cast<void>(parse_configuration(toml, "keystay.toml"));
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST_P(ConfigurationError, NamesFileLineKeyAndTheRemedy) {
  EXPECT_EQ(error_of(GetParam().toml), GetParam().message);
}

namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr ErrorCase kDocument[] = {
    {"UnknownSection", "[tokens.web]\n", "keystay.toml:1: tokens: unknown key; did you mean \"token\"?"},
    {"UnknownFarAway", "\n\nlogging = 3\n",
     "keystay.toml:3: logging: unknown key; known here: \"default\", \"zone\", \"token\", \"group\", "
     "\"tlsd\""},
    {"TokenIsNoSection", "token = 3\n", "keystay.toml:1: token: expected a section: [token]"},
    {"TokenHasNoName", "[token]\nmodule = \"/m.so\"\n",
     "keystay.toml:2: token.module: expected sections with names: [token.NAME]"},
    {"TokenNameWithSlash", "[token.\"a/b\"]\n",
     "keystay.toml:1: token.\"a/b\": a token's name consists of letters, digits, \"-\", \"_\" and \".\""},
    {"DefaultUnknown", "default = \"wep\"\n[token.web]\nmodule = \"/m.so\"\nlabel = \"w\"\n",
     "keystay.toml:1: default: there is no section [token.wep] or [group.wep]; did you mean \"web\"?"},
    {"DefaultWithoutTokens", "default = \"web\"\n",
     "keystay.toml:1: default: there is no section [token.web] or [group.web]; add it with module, label and "
     "pin"},
    {"DefaultEmpty", "default = \"\"\n",
     "keystay.toml:1: default: must not be empty; write default = \"web\", the name of a [token.web] or "
     "[group.web]"},
};
INSTANTIATE_TEST_SUITE_P(Document, ConfigurationError, testing::ValuesIn(kDocument),
                         [](const auto& test) { return test.param.name; });

constexpr ErrorCase kToken[] = {
    {"UnknownKey", "[token.web]\nmodule = \"/m.so\"\nlabel = \"w\"\nsesions = 3\n",
     "keystay.toml:4: token.web.sesions: unknown key; did you mean \"sessions\"?"},
    {"SlotNumber", "[token.web]\nmodule = \"/m.so\"\nslot = 0\n",
     "keystay.toml:3: token.web.slot: unknown key; known here: \"module\", \"module-arguments\", \"label\", "
     "\"serial\", \"pin\", "
     "\"sessions\", \"timeout\", \"key-copy\", \"key-check\", \"hung-calls\", \"import\", \"endpoints\", "
     "\"ca\", "
     "\"certificate\", \"key\", \"pkcs12\", \"pkcs12-password\", \"host\", \"lanes\", \"connect-timeout\", "
     "\"response-timeout\", \"relay\", "
     "\"zone\""},
    {"NoModule", "[token.web]\nlabel = \"w\"\n",
     "keystay.toml:1: token.web.module: missing; write module = \"/usr/lib/softhsm/libsofthsm2.so\""},
    {"RelativeModule", "[token.web]\nmodule = \"libsofthsm2.so\"\n",
     "keystay.toml:2: token.web.module: expected an absolute path like \"/usr/lib/softhsm/libsofthsm2.so\", "
     "got "
     "libsofthsm2.so"},
    {"ModuleIsNoString", "[token.web]\nmodule = 7\n",
     "keystay.toml:2: token.web.module: expected a string in quotes"},
    {"EmptyArguments", "[token.web]\nmodule = \"/m.so\"\nlabel = \"w\"\nmodule-arguments = \"\"\n",
     "keystay.toml:4: token.web.module-arguments: must not be empty; leave it out if the module takes none"},
    {"ArgumentsWithZero", "[token.web]\nmodule = \"/m.so\"\nlabel = \"w\"\nmodule-arguments = \"a\\u0000\"\n",
     "keystay.toml:4: token.web.module-arguments: must not hold a zero byte"},
    {"OtherArgumentsForTheSameModule",
     "[token.a]\nmodule = \"/lib/m.so\"\nlabel = \"a\"\nmodule-arguments = \"secret-1\"\n"
     "[token.b]\nmodule = \"/lib/./m.so\"\nlabel = \"b\"\nmodule-arguments = \"secret-2\"\n",
     "keystay.toml:8: token.b.module-arguments: differ from those of token.a, which has the same module: a "
     "module starts once in a process; write the same in both"},
    {"NoArgumentsForTheSameModule",
     "[token.a]\nmodule = \"/m.so\"\nlabel = \"a\"\nmodule-arguments = \"x\"\n"
     "[token.b]\nmodule = \"/m.so\"\nlabel = \"b\"\n",
     "keystay.toml:5: token.b.module-arguments: differ from those of token.a, which has the same module: a "
     "module starts once in a process; write the same in both"},
    {"NeitherLabelNorSerial", "[token.web]\nmodule = \"/m.so\"\n",
     "keystay.toml:1: token.web.label: missing; write label = \"…\" or serial = \"…\" as `pkcs11-tool "
     "--list-slots` "
     "shows them"},
    {"EmptyLabel", "[token.web]\nmodule = \"/m.so\"\nlabel = \"\"\n",
     "keystay.toml:3: token.web.label: must not be empty"},
    {"LongLabel", "[token.web]\nmodule = \"/m.so\"\nlabel = \"123456789012345678901234567890123\"\n",
     "keystay.toml:3: token.web.label: expected at most 32 bytes, got 33"},
    {"LongSerial", "[token.web]\nmodule = \"/m.so\"\nserial = \"12345678901234567\"\n",
     "keystay.toml:3: token.web.serial: expected at most 16 bytes, got 17"},
    {"PinItself", "[token.web]\nmodule = \"/m.so\"\nlabel = \"w\"\npin = \"123456\"\n",
     "keystay.toml:4: token.web.pin: this names no place of a PIN (is it the PIN itself?); write "
     "\"file:/path\", "
     "\"env:NAME\", \"credential:NAME\" or \"prompt\""},
    {"PinIsNumber", "[token.web]\nmodule = \"/m.so\"\nlabel = \"w\"\npin = 123456\n",
     "keystay.toml:4: token.web.pin: expected a string in quotes"},
    {"NoSessions", "[token.web]\nmodule = \"/m.so\"\nlabel = \"w\"\nsessions = 0\n",
     "keystay.toml:4: token.web.sessions: expected 1 to 1024, got 0"},
    {"TooManySessions", "[token.web]\nmodule = \"/m.so\"\nlabel = \"w\"\nsessions = 1025\n",
     "keystay.toml:4: token.web.sessions: expected 1 to 1024, got 1025"},
    {"SessionsInQuotes", "[token.web]\nmodule = \"/m.so\"\nlabel = \"w\"\nsessions = \"32\"\n",
     "keystay.toml:4: token.web.sessions: expected a number, 1 to 1024, without quotes"},
    {"TimeoutWithoutUnit", "[token.web]\nmodule = \"/m.so\"\nlabel = \"w\"\ntimeout = 5\n",
     "keystay.toml:4: token.web.timeout: expected a duration from \"10ms\" to \"10m\" (units: ms, s, m, h), "
     "in quotes"},
    {"TimeoutOfAnotherUnit", "[token.web]\nmodule = \"/m.so\"\nlabel = \"w\"\ntimeout = \"5 sec\"\n",
     "keystay.toml:4: token.web.timeout: expected a duration from \"10ms\" to \"10m\" (units: ms, s, m, h), "
     "got \"5 "
     "sec\""},
    {"TimeoutTooShort", "[token.web]\nmodule = \"/m.so\"\nlabel = \"w\"\ntimeout = \"9ms\"\n",
     "keystay.toml:4: token.web.timeout: expected a duration from \"10ms\" to \"10m\" (units: ms, s, m, h), "
     "got "
     "\"9ms\""},
    {"KeyCopy", "[token.web]\nmodule = \"/m.so\"\nlabel = \"w\"\nkey-copy = \"always\"\n",
     "keystay.toml:4: token.web.key-copy: expected \"auto\" or \"never\", got \"always\""},
    {"HungCalls", "[token.web]\nmodule = \"/m.so\"\nlabel = \"w\"\nhung-calls = \"kill\"\n",
     "keystay.toml:4: token.web.hung-calls: expected \"wait\" or \"leave\", got \"kill\""},
    {"Import", "[token.web]\nmodule = \"/m.so\"\nlabel = \"w\"\nimport = \"yes\"\n",
     "keystay.toml:4: token.web.import: expected \"refuse\" or \"allow\", got \"yes\""},
};
INSTANTIATE_TEST_SUITE_P(Token, ConfigurationError, testing::ValuesIn(kToken),
                         [](const auto& test) { return test.param.name; });

TEST(ConfigurationFileError, NamesTheLineOfTextThatIsNotToml) {
  EXPECT_THAT(error_of("default = \"web\"\n[token.web\n"), StartsWith("keystay.toml:2: this is not TOML: "));
  EXPECT_THAT(error_of("default = web\n"), StartsWith("keystay.toml:1: this is not TOML: "));
  EXPECT_THAT(error_of("a = 1\na = 2\n"), StartsWith("keystay.toml:2: this is not TOML: "));
}

TEST(ConfigurationFileError, NamesTheFileThatCannotBeRead) {
  const test::TemporaryDirectory directory;
  const auto file = directory.path() / "absent.toml";
  try {
    static_cast<void>(read_configuration(file));
    FAIL() << "an absent file was read";
  } catch (const Error& error) {
    EXPECT_EQ(error.what(),
              "cannot read the configuration file " + file.string() +
                  ": No such file or directory; create it, or name another one in KEYSTAY_CONF");
  }
}

TEST(ConfigurationFileError, NeverRepeatsWhatMayBeThePin) {
  EXPECT_THAT(error_of("[token.web]\nmodule = \"/m.so\"\nlabel = \"w\"\npin = \"file:s3cret\"\n"),
              Not(HasSubstr("s3cret")));
  EXPECT_THAT(error_of("[token.web]\nmodule = \"/m.so\"\nlabel = \"w\"\npin = \"s3cret\"\n"),
              Not(HasSubstr("s3cret")));
}

}  // namespace
}  // namespace keystay::config
