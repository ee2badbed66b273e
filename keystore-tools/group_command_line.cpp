#include "keystore-tools/group_command_line.h"

#include <CLI/CLI.hpp>

#include "keystore-tools/alias_option.h"
#include "keystore-tools/output_option.h"

namespace keystay::tools {
namespace {

// Of what changes something.
template <typename Command>
void declare_change(CLI::App& options, Command& command) {
  options.add_flag("--dryrun,--dry-run", command.dry_run, "Only say what would be done");
  declare_output(options, command.form);
}

void declare_form(CLI::App& options, OutputForm& form) {
  options.add_flag_callback(
      "--json", [&form] { form = OutputForm::json; }, "As one line of JSON: -o json");
  declare_output(options, form);
}

// A word that stands without an option.
void declare_member(CLI::App& options, std::string& member, const char* description) {
  options.add_option("NAME", member, description)->required();
}

}  // namespace

void declare(CLI::App& options, GroupAdd& command) {
  declare_member(options, command.member, "Token, by its name in the configuration");
  options.add_flag("--force", command.force, "Though it does not answer, or lacks keys of the group");
  declare_change(options, command);
}

void declare(CLI::App& options, GroupDiff& command) { declare_form(options, command.form); }

void declare(CLI::App& options, GroupInit& command) {
  declare_change(options, command);
  options.add_flag("--noprompt", command.no_prompt, "Do not ask");
}

void declare(CLI::App& options, GroupPromote& command) {
  declare_member(options, command.member, "The member that is to come first");
  declare_change(options, command);
}

void declare(CLI::App& options, GroupRemove& command) {
  declare_member(options, command.member, "The member that is to go");
  declare_change(options, command);
}

void declare(CLI::App& options, GroupReorder& command) {
  options.add_option("NAMES", command.order, "All members in their new order: hsm-b,hsm-a,hsm-c")->required();
  declare_change(options, command);
}

void declare(CLI::App& options, GroupStatus& command) { declare_form(options, command.form); }

void declare(CLI::App& options, GroupSync& command) { declare_change(options, command); }

void declare(CLI::App& options, GroupTest& command) {
  options.add_option("--alias", command.alias, "Only this key")->check(fault_of_alias);
  declare_form(options, command.form);
}

}  // namespace keystay::tools
