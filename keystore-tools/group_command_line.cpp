#include "keystore-tools/group_command_line.h"

#include <CLI/CLI.hpp>

#include "keystore-tools/alias_option.h"

namespace keystay::tools {
namespace {

void declare_dry_run(CLI::App& options, bool& dry_run) {
  options.add_flag("--dryrun,--dry-run", dry_run, "Only say what would be done");
}

void declare_form(CLI::App& options, OutputForm& form) {
  options.add_flag_callback(
      "--json", [&form] { form = OutputForm::json; }, "As one line of JSON");
}

}  // namespace

void declare(CLI::App& options, GroupDiff& command) { declare_form(options, command.form); }

void declare(CLI::App& options, GroupInit& command) {
  declare_dry_run(options, command.dry_run);
  options.add_flag("--noprompt", command.no_prompt, "Do not ask");
}

void declare(CLI::App& options, GroupStatus& command) { declare_form(options, command.form); }

void declare(CLI::App& options, GroupSync& command) { declare_dry_run(options, command.dry_run); }

void declare(CLI::App& options, GroupTest& command) {
  options.add_option("--alias", command.alias, "Only this key")->check(fault_of_alias);
  declare_form(options, command.form);
}

}  // namespace keystay::tools
