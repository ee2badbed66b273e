#include "keystore-tools/command_line.h"

#include <set>

#include <CLI/CLI.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "keystore-tools/failure.h"

namespace keystay::tools {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::UnorderedElementsAre;
using testing::internal::CaptureStdout;
using testing::internal::GetCapturedStdout;

template <typename T>
T parse(std::vector<std::string> arguments) {
  return std::get<T>(parse_command_line(std::move(arguments)).value().command);
}

TEST(CommandLine, HasEveryOptionOfGenkeypair) {
  const auto command = parse<GenKeyPair>(
      {"genkeypair", "--alias", "a", "--keyalg", "RSA", "--keysize", "4096", "--sigalg", "S", "--dname",
       "CN=a, O=b", "--startdate", "-1d", "--validity", "7", "--ext", "san=dns:a,ip:127.0.0.1", "--ext=bc"});
  EXPECT_EQ(command.alias, "a");
  EXPECT_EQ(command.key_algorithm, "RSA");
  EXPECT_EQ(command.key_size, 4096U);
  EXPECT_EQ(command.signature_algorithm, "S");
  EXPECT_EQ(command.distinguished_name, "CN=a, O=b");
  EXPECT_EQ(command.start_date, "-1d");
  EXPECT_EQ(command.validity_days, 7);
  EXPECT_THAT(command.extensions, ElementsAre("san=dns:a,ip:127.0.0.1", "bc"));
}

TEST(CommandLine, HasTheStoreOptionsOnEveryCommand) {
  for (const std::vector<std::string>& command :
       std::vector<std::vector<std::string>>{{"list"},
                                             {"genkeypair", "--keyalg", "EC"},
                                             {"certreq"},
                                             {"importcert"},
                                             {"exportcert"},
                                             {"exportref"},
                                             {"delete", "--alias", "a"},
                                             {"changealias", "--destalias", "b"}}) {
    std::vector<std::string> arguments = command;
    arguments.insert(
        arguments.end(),
        {"--conf",        "C",       "--token",        "T", "--keystore",    "K",  "--storepass-env", "V",
         "--storetype",   "KEYSTAY", "--providername", "P", "--addprovider", "A",  "--providerclass", "X",
         "--providerarg", "Y",       "--providerpath", "Z", "--protected",   "--v"});
    const auto line = parse_command_line(arguments);
    ASSERT_TRUE(line) << command.front();
    EXPECT_EQ(line->store.configuration, "C");
    EXPECT_EQ(line->store.token, "T");
    EXPECT_EQ(line->store.key_store, "K");
    EXPECT_EQ(line->store.pin_source, "env:V");
  }
}

// Of a token that no configuration describes yet: what -test needs for a connection, and what contradicts.
TEST(CommandLine, SaysWhatAnUnsavedTokenLacks) {
  struct Case {
    std::vector<std::string> options;
    const char* message;
  };
  const std::vector<std::string> remote{"--endpoint", "hsm.example:4442", "--label", "web", "--ca", "ca.pem"};
  const std::vector<std::string> local{"--endpoint", "unix:/run/p11-kit.sock", "--label", "web"};
  const auto with = [](std::vector<std::string> options, std::initializer_list<const char*> more) {
    options.insert(options.end(), more.begin(), more.end());
    return options;
  };
  const char* no_tls = "a socket of this machine has no TLS";
  const std::vector<Case> cases{
      {{"--endpoint", "hsm.example", "--label", "web"}, "expected a name or an address and a port"},
      {{"--endpoint", "hsm.example:4442", "--label", "web"}, "--ca is missing"},
      {{"--label", "web"}, "--label requires --endpoint"},
      {remote, "--certificate is missing"},
      {with(remote, {"--certificate", "c.pem"}), "--key is missing"},
      {with(remote, {"--certificate", "c.pem", "--pkcs12", "c.p12"}),
       "--pkcs12 has certificate and key in it"},
      {with(remote, {"--pkcs12", "c.p12", "--pkcs12-password", "secret"}), "is it the password itself?"},
      {with(remote, {"--pkcs12-password", "env:P"}), "--pkcs12-password needs --pkcs12"},
      {{"--endpoint", "unix:/run/p11-kit.sock"}, "--label or --serial is missing"},
      {with(local, {"--ca", "ca.pem"}), no_tls},
      {with(local, {"--pkcs12", "c.p12"}), no_tls},
      {with(local, {"--pkcs12-password", "env:P"}), no_tls},
      {with(local, {"--relay", "/r"}), no_tls},
  };
  for (const Case& wrong : cases) {
    std::vector<std::string> arguments{"test"};
    arguments.insert(arguments.end(), wrong.options.begin(), wrong.options.end());
    try {
      static_cast<void>(parse_command_line(arguments));
      ADD_FAILURE() << "taken: " << wrong.message;
    } catch (const UsageError& error) {
      EXPECT_THAT(error.what(), HasSubstr(wrong.message));
      EXPECT_THAT(error.what(), testing::Not(HasSubstr("secret")));
    }
  }
  EXPECT_TRUE(parse_command_line(with({"test"}, {"--endpoint", "unix:/run/p11-kit.sock", "--serial", "1"})));
}

TEST(CommandLine, MakesThePathOfAPinFileAbsolute) {
  const auto line = parse_command_line({"list", "--storepass-file", "web.pin"});
  EXPECT_EQ(line->store.pin_source, "file:" + std::filesystem::absolute("web.pin").string());
}

TEST(CommandLine, HasFormsOfList) {
  EXPECT_EQ(parse<List>({"list"}).form, ListForm::brief);
  EXPECT_EQ(parse<List>({"list", "--v"}).form, ListForm::verbose);
  EXPECT_EQ(parse<List>({"list", "--rfc"}).form, ListForm::rfc);
  EXPECT_THROW((void)parse_command_line({"list", "--rfc", "--v"}), UsageError);
}

// The names of the commands that lack an option.
std::set<std::string> lacking(const char* option) {
  std::set<std::string> names;
  with_declaration([&](const CLI::App& keystay) {
    for (const CLI::App* command : keystay.get_subcommands({}))
      if (command->get_option_no_throw(option) == nullptr) names.insert(command->get_name());
  });
  return names;
}

// Whoever adds a command decides which it is.
TEST(CommandLine, HasJsonUnlessItWritesADocumentAndADryRunUnlessItChangesNothing) {
  EXPECT_THAT(lacking("--output"), UnorderedElementsAre("decrypt", "encrypt", "exportcert", "exportref",
                                                        "gencert", "gencrl", "mac", "remoteenrol"));
  EXPECT_THAT(lacking("--dry-run"),
              UnorderedElementsAre("audit", "certreq", "decrypt", "encrypt", "mac", "verify-mac",
                                   "exportcert", "exportref", "gencert", "gencrl", "groupdiff", "groupstatus",
                                   "grouptest", "list", "mechanisms", "printcert", "printcertreq", "printcrl",
                                   "remoteenrol", "renew", "showinfo", "slots", "test", "tokens"));
}

TEST(CommandLine, ShowsHelpAndVersionOnStandardOutput) {
  for (const std::vector<std::string>& arguments :
       std::vector<std::vector<std::string>>{{"--help"}, {"help"}, {"genkeypair", "--help"}, {"--version"}}) {
    CaptureStdout();
    EXPECT_FALSE(parse_command_line(arguments)) << arguments.front();
    EXPECT_THAT(GetCapturedStdout(), HasSubstr(arguments.front() == "--version" ? "." : "keystay"));
  }
}

TEST(CommandLine, NamesWhatDoesTheWorkOfKeytoolsOtherCommands) {
  for (const char* name : {"importpass", "keypasswd"}) {
    EXPECT_THAT([&] { static_cast<void>(parse_command_line({name})); },
                testing::ThrowsMessage<UsageError>(
                    HasSubstr(std::string("keystay has no -") + name + "; instead: ")));
  }
}

}  // namespace
}  // namespace keystay::tools
