// The provider's section of openssl.cnf: our parameter, and those of pkcs11-provider.
#include "provider/configuration/cnf_section.h"

#include <filesystem>
#include <fstream>
#include <sstream>

#include "native/config/error.h"
#include "provider/configuration/cnf_file.h"
#include "tests/provider/provider_test.h"
#include "tests/provider/signing.h"

namespace keystay::test {
namespace {

using provider::CnfParameter;
using provider::CnfSection;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

CnfSection parse(const std::vector<CnfParameter>& parameters) {
  return provider::parse_cnf_section(parameters, "openssl.cnf: [pkcs11_sect]");
}

std::string error_of(const std::vector<CnfParameter>& parameters) {
  try {
    (void)parse(parameters);
    return "no error";
  } catch (const config::Error& error) {
    return error.what();
  }
}

TEST(CnfSectionTest, ThePinOfPkcs11ProviderIsAFileOrTheValueItself) {
  const CnfSection file =
      parse({{"pkcs11-module-path", "/module.so"}, {"pkcs11-module-token-pin", "file:/pin"}});
  ASSERT_TRUE(file.whole_module);
  EXPECT_EQ(file.whole_module->settings.pin, "file:/pin");
  EXPECT_FALSE(file.whole_module->pin);

  const CnfSection value =
      parse({{"pkcs11-module-token-pin", "123456"}, {"pkcs11-module-path", "/module.so"}});
  ASSERT_TRUE(value.whole_module && value.whole_module->pin);
  EXPECT_TRUE(value.whole_module->pin->equals(pkcs11::Pin("123456")));

  const CnfSection none = parse({{"pkcs11-module-path", "/module.so"}});
  EXPECT_EQ(none.whole_module->settings.pin, "prompt");
}

TEST(CnfSectionTest, CachingOfKeysIsCopyingThem) {
  for (const auto& [value, copies] :
       {std::pair("true", config::KeyCopy::automatic), std::pair("false", config::KeyCopy::never)}) {
    const CnfSection section =
        parse({{"pkcs11-module-path", "/module.so"}, {"pkcs11-module-cache-keys", value}});
    EXPECT_EQ(section.whole_module->settings.key_copy, copies) << value;
  }
}

TEST(CnfSectionTest, TheArgumentsAreTheModules) {
  const CnfSection section =
      parse({{"pkcs11-module-init-args", "configDir=/etc/pki"}, {"pkcs11-module-path", "/module.so"}});
  ASSERT_TRUE(section.whole_module);
  EXPECT_EQ(section.whole_module->settings.module_arguments, "configDir=/etc/pki");
}

TEST(CnfSectionTest, TheFileIsFollowedUnlessTheApplicationReloads) {
  EXPECT_TRUE(parse({}).follows_configuration);
  EXPECT_TRUE(parse({{"follow-configuration", "true"}}).follows_configuration);
  EXPECT_FALSE(parse({{"follow-configuration", "false"}}).follows_configuration);
  EXPECT_THAT(error_of({{"follow-configuration", "no"}}), HasSubstr("true or false"));
}

TEST(CnfSectionTest, WithoutAModuleThereIsOnlyKeystayToml) {
  const CnfSection section =
      parse({{"configuration", "/etc/other.toml"}, {"pkcs11-module-quirks", "no-deinit"}});
  EXPECT_EQ(section.configuration, "/etc/other.toml");
  EXPECT_FALSE(section.whole_module);
}

TEST(CnfSectionTest, WhatCannotBeMeantIsRefusedWithPlaceNameAndCure) {
  EXPECT_THAT(
      error_of({{"pkcs11-module-pth", "/module.so"}}),
      HasSubstr("[pkcs11_sect]: pkcs11-module-pth: unknown parameter; did you mean \"pkcs11-module-path\""));
  EXPECT_THAT(error_of({{"pkcs11-module-path", "module.so"}}), HasSubstr("absolute path"));
  EXPECT_THAT(error_of({{"pkcs11-module-path", "/m.so"}, {"pkcs11-module-cache-keys", "1"}}),
              HasSubstr("true or false"));
  EXPECT_THAT(error_of({{"pkcs11-module-init-args", "configDir=/etc/pki"}}),
              AllOf(HasSubstr("add pkcs11-module-path"), Not(HasSubstr("/etc/pki"))));
  EXPECT_THAT(error_of({{"pkcs11-module-path", "/m.so"}, {"pkcs11-module-token-pin", "file:pin"}}),
              HasSubstr("file:/path"));
  const std::string no_module = error_of({{"pkcs11-module-token-pin", "s3cret"}});
  EXPECT_THAT(no_module, HasSubstr("add pkcs11-module-path"));
  EXPECT_THAT(no_module, Not(HasSubstr("s3cret")));
}

using testing::ElementsAre;
using testing::IsEmpty;

// config(5): the last value counts, wherever the section goes on.
TEST(CnfSectionTest, ANameThatStandsTwiceIsFoundAsLibcryptoReadsTheLines) {
  const auto doubled = [](const char* text) { return provider::doubled_names(text, "ks"); };
  EXPECT_THAT(doubled("[ks]\na = 1\nb = 2\n"), IsEmpty());
  EXPECT_THAT(doubled("[ks]\na = 1\na = 1\n"), ElementsAre("a"));
  EXPECT_THAT(doubled("[ ks ]\n a=1\r\n[other]\na = 2\n[ks]\n\ta = 3\na = 4\n"), ElementsAre("a"));
  EXPECT_THAT(doubled("[ks]\na = 1\n[other]\na = 2\n"), IsEmpty());
  EXPECT_THAT(doubled("ks::a = 1\n[ks]\na = 2\nother::a = 3\n"), ElementsAre("a"));
  EXPECT_THAT(doubled("a = 1\na = 2\n[ks]\n#a = 3\na = 4\n"), IsEmpty());
  EXPECT_THAT(doubled("[ks]\na = 1 \\\na = 2\n"), IsEmpty()) << "the second line belongs to the value";
  EXPECT_THAT(doubled("[ks]\na = 1 \\\\\na = 2\n"), ElementsAre("a")) << "that is a backslash";
  EXPECT_THAT(doubled("[ks"), IsEmpty());
  EXPECT_THAT(doubled(""), IsEmpty());
}

TEST(CnfSectionTest, ANameThatStandsTwiceIsFoundInWhatIsIncluded) {
  const auto doubled = [](const char* text, const char* included) {
    return provider::doubled_names(text, "ks", [&](std::string_view value) -> std::vector<std::string> {
      if (value == "both") return {included, included};
      return value == "one" ? std::vector<std::string>{included} : std::vector<std::string>{};
    });
  };
  EXPECT_THAT(doubled("[ks]\na = 1\n.include one\n", "a = 2\n"), ElementsAre("a"));
  EXPECT_THAT(doubled("[ks]\na = 1\n.include = one\n", "[ks]\na = 2"), ElementsAre("a"));
  EXPECT_THAT(doubled("[ks]\n.include both\n", "a = 2\n"), ElementsAre("a"));
  EXPECT_THAT(doubled(".include one\n", "[ks]\na = 1\na = 2\n"), ElementsAre("a"));
  EXPECT_THAT(doubled(".include one\na = 2\n", "[ks]\na = 1\n"), ElementsAre("a")) << "the section goes on";
  EXPECT_THAT(doubled("[ks]\na = 1\n.include one\na = 3\n", "[other]\n"), IsEmpty());
  EXPECT_THAT(doubled("[ks]\na = 1\n.include one\n", "[other]\na = 2\n"), IsEmpty());
  EXPECT_THAT(doubled("[ks]\n.include one\n", ".include one\na = 1\n"), ElementsAre("a")) << "in a circle";
}

// openssl.cnf of a user of pkcs11-provider, of whose lines only `module =` was changed.
class CnfTest : public ProviderTest {
 protected:
  std::string cnf(const std::string& lines) {
    const std::filesystem::path path = token().directory().path() / "pkcs11.cnf";
    std::ofstream(path)
        << "HOME = .\nopenssl_conf = openssl_init\n[openssl_init]\nproviders = provider_sect\n"
           "[provider_sect]\ndefault = default_sect\npkcs11 = pkcs11_sect\n"
           "[default_sect]\nactivate = 1\n[pkcs11_sect]\nmodule = "
        << provider_path() << "/keystay.so\nactivate = 1\n"
        << lines;
    return path;
  }

  // `openssl dgst -sign` as a process of its own, without any keystay.toml.
  Outcome sign(const std::string& key, const std::string& lines) {
    Environment environment = program_environment();
    environment["OPENSSL_CONF"] = cnf(lines);
    environment["KEYSTAY_CONF"] = "";
    return run({"openssl", "dgst", "-sha256", "-hex", "-sign", key, "/dev/null"},
               {.environment = environment});
  }

  std::string module_line() const { return "pkcs11-module-path = " + token().module().string() + "\n"; }
};

TEST_F(CnfTest, AFileOfPkcs11ProviderWorks) {
  const std::string all =
      module_line() + "pkcs11-module-token-pin = " + token().pin() +
      "\npkcs11-module-login-behavior = auto\npkcs11-module-load-behavior = early\n"
      "pkcs11-module-quirks = no-deinit no-operation-state\npkcs11-module-cache-pins = cache\n"
      "pkcs11-module-cache-keys = true\npkcs11-module-cache-sessions = 5\n"
      "pkcs11-module-allow-export = 0\npkcs11-module-block-operations = digest\n"
      "pkcs11-module-encode-provider-uri-to-pem = true\npkcs11-module-assume-fips = false\n";
  for (const char* key : {"pkcs11:object=ec;type=private", "pkcs11:token=web;id=%01", "pkcs11:object=rsa"}) {
    const Outcome outcome = sign(key, all);
    EXPECT_TRUE(outcome.ok()) << key << outcome;
  }
}

TEST_F(CnfTest, ThePinMayBeInAFileOrInTheUri) {
  const std::string file = "file:" + token().pin_file().string();
  EXPECT_TRUE(sign("pkcs11:object=ec", module_line() + "pkcs11-module-token-pin = " + file + "\n").ok());
  EXPECT_TRUE(sign("pkcs11:object=ec?pin-source=" + file, module_line()).ok());
  EXPECT_TRUE(sign("pkcs11:object=ec?pin-value=" + token().pin(), module_line()).ok());
}

TEST_F(CnfTest, ANameThatAnIncludedFileRepeatsIsRefused) {
  const std::filesystem::path directory = token().directory().path() / "parts.d";
  std::filesystem::create_directory(directory);
  std::ofstream(directory / "pin.cnf") << "pkcs11-module-token-pin = " << token().pin() << "\n";
  const auto including = [&](const std::string& value) { return module_line() + ".include " + value + "\n"; };
  for (const std::string& value : {directory.string(), "= \"" + (directory / "pin.cnf").string() + "\""}) {
    EXPECT_TRUE(sign("pkcs11:object=ec", including(value)).ok()) << value;
    const Outcome refused = sign("pkcs11:object=ec", "pkcs11-module-token-pin = 1\n" + including(value));
    EXPECT_FALSE(refused.ok());
    EXPECT_THAT(refused.error, HasSubstr("stands more than once in this section")) << value;
  }
  const Outcome by_variable = sign(
      "pkcs11:object=ec", module_line() + "[default]\nwhere = " + directory.string() +
                              "\n[pkcs11_sect]\npkcs11-module-token-pin = 1\n" + ".include $where/pin.cnf\n");
  EXPECT_THAT(by_variable.error, HasSubstr("stands more than once in this section"));
}

// SoftHSM is a module that takes no arguments and says so.
TEST_F(CnfTest, AModuleIsGivenItsArguments) {
  const Outcome outcome =
      sign("pkcs11:object=ec", module_line() + "pkcs11-module-init-args = s3cret=1\n" +
                                   "pkcs11-module-token-pin = file:" + token().pin_file().string() + "\n");
  EXPECT_FALSE(outcome.ok());
  EXPECT_THAT(outcome.error, HasSubstr("CKR_ARGUMENTS_BAD"));
  EXPECT_THAT(outcome.error, HasSubstr("does not start with its `module-arguments`"));
  EXPECT_THAT(outcome.error, Not(HasSubstr("s3cret")));
}

TEST_F(CnfTest, AMisspeltNameIsOneClearError) {
  const Outcome outcome = sign("pkcs11:object=ec", module_line() + "pkcs11-module-tokenpin = s3cret\n");
  EXPECT_FALSE(outcome.ok());
  EXPECT_THAT(outcome.error,
              HasSubstr("pkcs11.cnf: [pkcs11_sect]: pkcs11-module-tokenpin: unknown parameter"));
  EXPECT_THAT(outcome.error, HasSubstr("pkcs11-module-token-pin"));
  EXPECT_THAT(outcome.error, Not(HasSubstr("s3cret")));
}

TEST_F(CnfTest, AParameterThatStandsTwiceIsRefusedByName) {
  const std::string pin = "pkcs11-module-token-pin = ";
  const Outcome outcome =
      sign("pkcs11:object=ec", module_line() + pin + "s3cret\n" + pin + token().pin() + "\n");
  EXPECT_FALSE(outcome.ok());
  EXPECT_THAT(outcome.error,
              AllOf(HasSubstr("pkcs11.cnf: [pkcs11_sect]: pkcs11-module-token-pin: stands more"),
                    Not(HasSubstr("s3cret")), Not(HasSubstr(token().pin()))));
}

// What a user may write is what the page of the manual lists.
TEST(CnfSectionTest, TheManualHasEveryParameter) {
  std::ostringstream page;
  page
      << std::ifstream(std::filesystem::path(std::getenv("KEYSTAY_SOURCE")) / "docs/user/openssl.md").rdbuf();
  for (const std::string_view name : provider::cnf_parameter_names()) {
    EXPECT_THAT(page.str(), HasSubstr("`" + std::string(name) + "`"));
  }
}

}  // namespace
}  // namespace keystay::test
