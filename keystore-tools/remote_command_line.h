// The command line of the commands on tokens of other machines.
#pragma once

#include "keystore-tools/remote_enrol.h"
#include "keystore-tools/store_options.h"

namespace CLI {
class App;
}

namespace keystay::tools {

// As of group_command_line.h.
void declare(CLI::App& options, RemoteEnrol& command);

// The options of -test, by the keys of [token.NAME].
void declare(CLI::App& options, UnsavedToken& token);
// When the line is parsed: that what was given is enough for a connection, and no more. Throws UsageError.
void require_complete(UnsavedToken& token);

}  // namespace keystay::tools
