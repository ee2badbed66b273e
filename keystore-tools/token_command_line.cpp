#include "keystore-tools/token_command_line.h"

#include <filesystem>
#include <string>

#include <CLI/CLI.hpp>

#include "keystore-tools/output_option.h"

namespace keystay::tools {
namespace {

void declare_module(CLI::App& options, TokenChoice& choice) {
  options.add_option("--module", choice.module,
                     "PKCS #11 module, else that of the token that the configuration has");
}

// Which of its tokens is meant.
void declare_choice(CLI::App& options, TokenChoice& choice) {
  declare_module(options, choice);
  options.add_option("--slot", choice.slot, "Slot, by its number now");
  options.add_option("--serial", choice.serial, "Serial number of the token");
}

void declare_label(CLI::App& options, TokenChoice& choice) {
  options.add_option("--label", choice.label, "Label of the token");
}

// From a file or a variable, else it is asked for.
// `keytools` is another name of the option, or empty.
void declare_pin(CLI::App& options, const std::string& name, const std::string& what, std::string& source,
                 const std::string& keytools = "") {
  const auto names = [&](const std::string& from) {
    return name + from + (keytools.empty() ? "" : "," + keytools + from);
  };
  CLI::Option* variable = options.add_option_function<std::string>(
      names("-env"), [&source](const std::string& value) { source = "env:" + value; },
      "Environment variable with the " + what);
  options
      .add_option_function<std::string>(
          names("-file"),
          [&source](const std::string& file) { source = "file:" + std::filesystem::absolute(file).string(); },
          "File with the " + what + ", else it is asked for")
      ->excludes(variable);
}

void declare_trial(CLI::App& options, FinalTry& final_try, bool& dry_run) {
  options.add_flag_callback(
      "--finaltry,--final-try", [&final_try] { final_try = FinalTry::allowed; },
      "Also where one more wrong PIN locks the token");
  options.add_flag("--dryrun,--dry-run", dry_run, "Only say what would be done; no PIN is read");
}

void declare_change(CLI::App& options, UserPinChange& command) {
  declare_choice(options, command.choice);
  declare_label(options, command.choice);
  declare_pin(options, "--newpin", "new PIN of the user", command.new_pin, "--new");
  declare_trial(options, command.final_try, command.dry_run);
  declare_output(options, command.form);
}

}  // namespace

void declare(CLI::App& options, ListSlots& command) {
  declare_module(options, command.choice);
  declare_output(options, command.form);
}

void declare(CLI::App& options, ListTokens& command) {
  declare_module(options, command.choice);
  declare_output(options, command.form);
}

void declare(CLI::App& options, ListMechanisms& command) {
  declare_choice(options, command.choice);
  declare_label(options, command.choice);
  declare_output(options, command.form);
}

void declare(CLI::App& options, InitToken& command) {
  declare_choice(options, command.choice);
  options.add_option("--label", command.label, "The label that the token gets, else that of -token");
  declare_pin(options, "--sopin", "PIN of the security officer", command.so_pin);
  options.add_flag("--noprompt", command.no_prompt,
                   "Do not ask before a token in use is emptied, which --serial must name then");
  declare_trial(options, command.final_try, command.dry_run);
  declare_output(options, command.form);
}

void declare(CLI::App& options, InitPin& command) {
  declare_pin(options, "--sopin", "PIN of the security officer", command.so_pin);
  declare_change(options, command);
}

void declare(CLI::App& options, UnblockPin& command) {
  declare_pin(options, "--sopin", "PIN of the security officer", command.so_pin);
  declare_change(options, command);
}

void declare(CLI::App& options, ChangePin& command) { declare_change(options, command); }

}  // namespace keystay::tools
