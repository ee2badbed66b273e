// The options of the commands that prepare tokens, and look at them from outside.
#pragma once

#include "keystore-tools/init_token.h"
#include "keystore-tools/token_listing.h"
#include "keystore-tools/user_pin.h"

namespace CLI {
class App;
}

namespace keystay::tools {

void declare(CLI::App& options, ListSlots& command);
void declare(CLI::App& options, ListTokens& command);
void declare(CLI::App& options, ListMechanisms& command);
void declare(CLI::App& options, InitToken& command);
void declare(CLI::App& options, InitPin& command);
void declare(CLI::App& options, UnblockPin& command);
void declare(CLI::App& options, ChangePin& command);

}  // namespace keystay::tools
