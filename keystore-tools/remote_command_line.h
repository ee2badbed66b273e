// The command line of the commands on tokens of other machines.
#pragma once

#include "keystore-tools/remote_enrol.h"

namespace CLI {
class App;
}

namespace keystay::tools {

// As of group_command_line.h.
void declare(CLI::App& options, RemoteEnrol& command);

}  // namespace keystay::tools
