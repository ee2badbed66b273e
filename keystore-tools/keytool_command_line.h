// How the commands that keytool has, beyond those for one alias of a token, are declared.
#pragma once

#include <string>
#include <vector>

#include "keystore-tools/gencert.h"
#include "keystore-tools/gencrl.h"
#include "keystore-tools/importkeystore.h"
#include "keystore-tools/printcert.h"
#include "keystore-tools/printcertreq.h"
#include "keystore-tools/printcrl.h"
#include "keystore-tools/showinfo.h"

namespace CLI {
class App;
}

namespace keystay::tools {

void declare(CLI::App& options, GenCert& command);
void declare(CLI::App& options, GenCrl& command);
void declare(CLI::App& options, PrintCert& command);
void declare(CLI::App& options, PrintCertReq& command);
void declare(CLI::App& options, PrintCrl& command);
void declare(CLI::App& options, ShowInfo& command);
// `store` is what the options of every command fill in, which some of these have other names for.
void declare(CLI::App& options, ImportKeyStore& command, StoreOptions& store);

// Options that several commands have.
void declare_extensions(CLI::App& options, std::vector<std::string>& extensions);
void declare_validity(CLI::App& options, std::string& start_date, int& days);

}  // namespace keystay::tools
