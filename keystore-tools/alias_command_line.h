// How the commands for one alias of a token, and for all of them, are declared.
#pragma once

#include "keystore-tools/certreq.h"
#include "keystore-tools/changealias.h"
#include "keystore-tools/cleanup.h"
#include "keystore-tools/delete.h"
#include "keystore-tools/exportcert.h"
#include "keystore-tools/exportref.h"
#include "keystore-tools/genkeypair.h"
#include "keystore-tools/importcert.h"
#include "keystore-tools/list.h"
#include "keystore-tools/store_options.h"
#include "keystore-tools/test.h"

namespace CLI {
class App;
}

namespace keystay::tools {

void declare(CLI::App& options, List& command);
void declare(CLI::App& options, GenKeyPair& command);
void declare(CLI::App& options, CertReq& command);
void declare(CLI::App& options, ImportCert& command);
void declare(CLI::App& options, ExportCert& command);
void declare(CLI::App& options, ExportRef& command);
void declare(CLI::App& options, Delete& command);
void declare(CLI::App& options, ChangeAlias& command);
void declare(CLI::App& options, Cleanup& command);
// `store` is what the options of every command fill in; this one may describe a token that no file names yet.
void declare(CLI::App& options, Test& command, StoreOptions& store);

}  // namespace keystay::tools
