#include "keystore-tools/remote_command_line.h"

#include <CLI/CLI.hpp>

namespace keystay::tools {

void declare(CLI::App& options, RemoteEnrol& command) {
  options.add_option("--endpoint", command.endpoints, "HOST:PORT of the other machine; may be repeated")
      ->required()
      ->allow_extra_args(false)
      ->check(fault_of_remote_endpoint);
  options.add_option("--host", command.host, "Name that the endpoint's certificate has, if another one");
  options.add_option("--name", command.name, "Name of this machine, for its certificate");
  options.add_option("--label", command.label, "Label of the token, else the value of -token");
  options.add_option("--serial", command.serial, "Serial number of the token");
  options.add_option("--directory", command.directory,
                     "Where the files go, else the directory of the configuration");
}

}  // namespace keystay::tools
