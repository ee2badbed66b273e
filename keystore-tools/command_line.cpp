#include "keystore-tools/command_line.h"

#include <algorithm>
#include <array>
#include <functional>
#include <iostream>
#include <map>
#include <set>

#include <CLI/CLI.hpp>

#include "keystore-tools/alias_command_line.h"
#include "keystore-tools/failure.h"
#include "keystore-tools/group_command_line.h"
#include "keystore-tools/keytool_command_line.h"
#include "keystore-tools/output_option.h"
#include "keystore-tools/remote_command_line.h"
#include "native/config/nearest.h"
#include "native/pkcs11/text.h"

namespace keystay::tools {
namespace {

struct OtherCommand {
  std::string_view name;
  std::string_view instead;
};

// keytool's commands that Keystay does not have, and what to use instead.
constexpr std::array kElsewhere = std::to_array<OtherCommand>({
    {"importpass",
     "keystay -importseckey, which brings a secret key to the token; a token keeps no passwords, which would "
     "have "
     "to come out again"},
    {"keypasswd",
     "nothing: one PIN guards all keys of a token, and keys have no password of their own; to change the "
     "PIN: keystay change-pin"},
});

// A command in the making: CLI11 fills the options in, `result` is taken if the command was given.
class Parser final {
 public:
  Parser() : app_("Makes, lists, imports and exports the aliases of a PKCS#11 token.", "keystay") {
    app_.set_version_flag("--version", KEYSTAY_VERSION);
    app_.require_subcommand(1);
    app_.footer("keytool's form works too: keystay -genkeypair -alias httpd -keyalg EC …");
    declare(*add("list", "Lists the aliases, or one", list_), list_);
    declare(*add("genkeypair", "Makes a key pair on the token, and a self-signed certificate for it",
                 genkeypair_),
            genkeypair_);
    declare(*add("certreq", "Writes a certificate request for the key of an alias", certreq_), certreq_);
    declare(*add("importcert", "Imports a CA's reply for an alias, or a trusted certificate", importcert_),
            importcert_);
    add_keytool_commands();
    declare(*add("exportcert", "Writes the certificate of an alias", exportcert_), exportcert_);
    declare(
        *add("exportref", "Writes the PEM file that servers read in the place of a private key", exportref_),
        exportref_);
    declare(*add("delete", "Destroys an alias: key pair and certificate, or secret key", delete_), delete_);
    declare(*add("changealias", "Gives a key another name", changealias_), changealias_);
    declare(*add("cleanup", "Removes what interrupted commands have left, which -list shows", cleanup_),
            cleanup_);
    declare(*add("test", "Connects to the token, logs in and signs once, or says what is wrong", test_),
            test_, store_);
    add_group_commands();
    declare(*add("remoteenrol",
                 "Makes a key and a certificate request for a token on another machine, and shows what both "
                 "ends are to be configured",
                 remote_enrol_),
            remote_enrol_);
    custody_.each([this](const char* name, const char* description, auto& command) {
      declare(*add(name, description, command), command);
    });
  }

  std::optional<CommandLine> parse(std::vector<std::string> arguments) {
    require_known_command(arguments.front());
    std::ranges::reverse(arguments);  // CLI11 takes them from the back
    try {
      app_.parse(std::move(arguments));
    } catch (const CLI::Success& answer) {  // help or version
      app_.exit(answer, std::cout, std::cerr);
      return std::nullopt;
    } catch (const CLI::ParseError& error) {
      refuse_unknown();  // a misspelt option is the reason why another one is missing
      throw UsageError(std::string(error.what()) + "; see keystay -help");
    }
    check_store_type();
    require_complete(store_.unsaved);
    return CommandLine{store_, command()};
  }

  [[nodiscard]] const CLI::App& declaration() const { return app_; }

  [[nodiscard]] std::set<std::string, std::less<>> options_with_values() const {
    std::set<std::string, std::less<>> names;
    for (const CLI::App* command : app_.get_subcommands({})) {
      for (const CLI::Option* option : command->get_options()) {
        if (option->get_items_expected_max() == 0) continue;
        for (const std::string& name : option->get_lnames()) names.insert(name);
      }
    }
    return names;
  }

 private:
  // `result` is what the command line asks for if it has this command.
  template <typename Asked>
  CLI::App* add(const char* name, const char* description, const Asked& result) {
    commands_.emplace(name, [&result] { return Command(result); });
    CLI::App* command = app_.add_subcommand(name, description);
    command->add_option("--conf", store_.configuration, "Configuration file (else KEYSTAY_CONF)");
    command->add_option("--token", store_.token, "Token, by its name in the configuration");
    command->add_option("--keystore", store_.key_store,
                        "Key store file that names the token and its aliases");
    add_pin_options(command);
    add_ignored_options(command);
    return command;
  }

  void add_pin_options(CLI::App* command) {
    CLI::Option* variable = command->add_option_function<std::string>(
        "--storepass-env", [this](const std::string& name) { store_.pin_source = "env:" + name; },
        "Environment variable with the PIN (keytool: -storepass:env)");
    command
        ->add_option_function<std::string>(
            "--storepass-file",
            [this](const std::string& file) {
              store_.pin_source = "file:" + std::filesystem::absolute(file).string();
            },
            "File with the PIN (keytool: -storepass:file)")
        ->excludes(variable);
  }

  // Options of keytool that have no effect here, and are accepted.
  void add_ignored_options(CLI::App* command) {
    command->add_option("--storetype", store_type_, "Keystay, if it is given")->group("For keytool's sake");
    for (const char* name : {"--providername", "--addprovider", "--providerclass", "--providerarg",
                             "--providerpath", "--keypass-env", "--keypass-file"}) {
      command->add_option(name, ignored_, "Without effect")->group("For keytool's sake");
    }
    command->add_flag("--protected", ignored_flag_, "Without effect: a token with a PIN pad says so itself")
        ->group("For keytool's sake");
    if (command->get_name() != "list") {
      command->add_flag("--v", ignored_flag_, "Without effect")->group("For keytool's sake");
    }
  }

  void add_keytool_commands() {
    declare(*add("importkeystore", "Brings private keys from a file of PKCS12, PEM or PKCS8 to the token",
                 importkeystore_),
            importkeystore_, store_);
    declare(*add("gencert", "Issues a certificate for a request, signed by an alias as the CA", gencert_),
            gencert_);
    declare(*add("gencrl", "Makes a list of revoked certificates, signed by an alias as the CA", gencrl_),
            gencrl_);
    declare(*add("printcert", "Shows the certificates of a file or of a TLS server", printcert_), printcert_);
    declare(*add("printcertreq", "Shows a certificate request", printcertreq_), printcertreq_);
    declare(*add("printcrl", "Shows lists of revoked certificates", printcrl_), printcrl_);
    declare(*add("showinfo", "Shows what OpenSSL offers on this machine", showinfo_), showinfo_);
  }

  template <typename Asked>
  void add_group(const char* name, const char* description, Asked& command) {
    declare(*add(name, description, command), command);
  }

  void add_group_commands() {
    add_group("groupadd", "Makes a token a member of a group, in the configuration file", group_add_);
    add_group("groupdiff", "Shows what is not the same on the members of a group", group_diff_);
    add_group("groupinit",
              "Gives all members of a group one key, under which new keys come from one to the others",
              group_init_);
    add_group("grouppromote", "Gives a member of a group the highest priority, in the configuration file",
              group_promote_);
    add_group("groupremove", "Takes a member off a group, in the configuration file", group_remove_);
    add_group("groupreorder", "Gives the members of a group another order, in the configuration file",
              group_reorder_);
    add_group("groupstatus", "Asks each member of a group whether it answers, and compares what they have",
              group_status_);
    add_group("groupsync",
              "Brings the newest certificate of each alias to all members of a group that have its key",
              group_sync_);
    add_group("grouptest", "Signs with each key on each member of a group, and verifies each signature",
              group_test_);
  }

  [[nodiscard]] Command command() const { return commands_.at(app_.get_subcommands().front()->get_name())(); }

  void require_known_command(const std::string& word) const {
    const std::string name = word.starts_with("--") ? word.substr(2, word.find('=') - 2) : word;
    std::vector<std::string> names{"help", "version"};
    for (const CLI::App* command : app_.get_subcommands({})) names.push_back(command->get_name());
    if (std::ranges::find(names, name) != names.end()) return;
    const std::vector<std::string_view> known(names.begin(), names.end());
    throw UsageError("\"" + word + "\" is no command; " + config::suggest(name, known));
  }

  void check_store_type() const {
    if (store_type_.empty() || pkcs11::equal_ignoring_case(store_type_, "Keystay")) return;
    throw UsageError("--storetype " + store_type_ +
                     ": this program works on key stores of type Keystay only");
  }

  void refuse_unknown() const {
    const auto parsed = app_.get_subcommands();
    const CLI::App& command = parsed.empty() ? app_ : *parsed.front();
    const std::vector<std::string> rest = app_.remaining(true);
    if (rest.empty()) return;
    const std::string& word = rest.front();
    if (!word.starts_with("--")) throw UsageError("\"" + word + "\" belongs to no option; see keystay -help");
    const std::string name = word.substr(0, word.find('='));
    std::vector<std::string> names;
    for (const CLI::Option* option : command.get_options()) {
      for (const std::string& known : option->get_lnames()) names.push_back("--" + known);
    }
    const std::vector<std::string_view> known(names.begin(), names.end());
    throw UsageError("unknown option " + name + " of -" + command.get_name() + "; " +
                     config::suggest(name, known));
  }

  CLI::App app_;
  StoreOptions store_;
  std::string store_type_;
  std::string ignored_;
  bool ignored_flag_ = false;
  List list_;
  GenKeyPair genkeypair_;
  CertReq certreq_;
  ImportCert importcert_;
  ImportKeyStore importkeystore_;
  GenCert gencert_;
  GenCrl gencrl_;
  PrintCert printcert_;
  PrintCertReq printcertreq_;
  PrintCrl printcrl_;
  ShowInfo showinfo_;
  ExportCert exportcert_;
  ExportRef exportref_;
  Delete delete_;
  ChangeAlias changealias_;
  Cleanup cleanup_;
  Test test_;
  GroupAdd group_add_;
  GroupDiff group_diff_;
  GroupInit group_init_;
  GroupPromote group_promote_;
  GroupRemove group_remove_;
  GroupReorder group_reorder_;
  GroupStatus group_status_;
  GroupSync group_sync_;
  GroupTest group_test_;
  RemoteEnrol remote_enrol_;
  CustodyCommands custody_;
  std::map<std::string, std::function<Command()>, std::less<>> commands_;  // by name
};

}  // namespace

MissingKeyStore missing_key_store(const Command& command) {
  const bool makes = std::holds_alternative<GenKeyPair>(command) ||
                     std::holds_alternative<GenSecKey>(command) ||
                     std::holds_alternative<ImportCert>(command);
  return makes ? MissingKeyStore::made : MissingKeyStore::refused;
}

std::optional<CommandLine> parse_command_line(std::vector<std::string> arguments) {
  if (arguments.empty()) throw UsageError("no command is given; see keystay -help");
  if (arguments.front() == "help") arguments.front() = "--help";
  // "group status" is the command groupstatus; what is none is refused by that name.
  const bool has_two_words =
      arguments.front() == "group" || arguments.front() == "remote" || arguments.front() == "acme";
  if (arguments.size() > 1 && has_two_words && !arguments[1].starts_with('-')) {
    arguments[1].insert(0, arguments.front());
    arguments.erase(arguments.begin());
  }
  const auto elsewhere = std::ranges::find(kElsewhere, arguments.front(), &OtherCommand::name);
  if (elsewhere != kElsewhere.end()) {
    throw UsageError("keystay has no -" + arguments.front() +
                     "; instead: " + std::string(elsewhere->instead));
  }
  return Parser().parse(std::move(arguments));
}

void with_declaration(const std::function<void(const CLI::App&)>& look) { look(Parser().declaration()); }

bool takes_value(std::string_view option) {
  static const std::set<std::string, std::less<>> names = Parser().options_with_values();
  return names.contains(option);
}

}  // namespace keystay::tools
