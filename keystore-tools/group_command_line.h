// The command line of the commands on groups: what options each has, and the words that stand without one.
#pragma once

#include "keystore-tools/group_change.h"
#include "keystore-tools/group_diff.h"
#include "keystore-tools/group_init.h"
#include "keystore-tools/group_status.h"
#include "keystore-tools/group_sync.h"
#include "keystore-tools/group_test.h"

namespace CLI {
class App;
}

namespace keystay::tools {

// Declares the options of the command, whose values come into it when the line is parsed. It must live as
// long as the declaration.
void declare(CLI::App& options, GroupAdd& command);
void declare(CLI::App& options, GroupDiff& command);
void declare(CLI::App& options, GroupInit& command);
void declare(CLI::App& options, GroupPromote& command);
void declare(CLI::App& options, GroupRemove& command);
void declare(CLI::App& options, GroupReorder& command);
void declare(CLI::App& options, GroupStatus& command);
void declare(CLI::App& options, GroupSync& command);
void declare(CLI::App& options, GroupTest& command);

}  // namespace keystay::tools
