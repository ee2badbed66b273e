// The options of -audit.
#pragma once

#include "keystore-tools/audit.h"

namespace CLI {
class App;
}

namespace keystay::tools {

void declare(CLI::App& options, Audit& command);

}  // namespace keystay::tools
