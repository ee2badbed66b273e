// The options of the commands for the life of an alias.
#pragma once

#include "keystore-tools/activation.h"
#include "keystore-tools/renew.h"
#include "keystore-tools/retire.h"
#include "keystore-tools/rotate.h"

namespace CLI {
class App;
}

namespace keystay::tools {

void declare(CLI::App& options, Rotate& command);
void declare(CLI::App& options, Renew& command);
void declare(CLI::App& options, Deactivate& command);
void declare(CLI::App& options, Activate& command);
void declare(CLI::App& options, Retire& command);

}  // namespace keystay::tools
