#include "keystore-tools/audit_command_line.h"

#include <CLI/CLI.hpp>

#include "keystore-tools/output_option.h"

namespace keystay::tools {

void declare(CLI::App& options, Audit& command) {
  options.add_option("--policy", command.policy, "What is wanted, in TOML, else what is built in");
  options.add_option("--html", command.html, "Also writes a page for people to this file");
  declare_output(options, command.form);
}

}  // namespace keystay::tools
