// The commands about secret keys, as the command line declares them.
#pragma once

#include "keystore-tools/encrypt.h"
#include "keystore-tools/genseckey.h"
#include "keystore-tools/importseckey.h"
#include "keystore-tools/mac.h"

namespace CLI {
class App;
}

namespace keystay::tools {

void declare(CLI::App& options, GenSecKey& command);
void declare(CLI::App& options, ImportSecKey& command);
void declare(CLI::App& options, Encrypt& command);
void declare(CLI::App& options, Decrypt& command);
void declare(CLI::App& options, Mac& command);
void declare(CLI::App& options, VerifyMac& command);

}  // namespace keystay::tools
