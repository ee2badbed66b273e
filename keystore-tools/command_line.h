// The command line in the GNU form, and what it asks for.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "keystore-tools/certreq.h"
#include "keystore-tools/changealias.h"
#include "keystore-tools/cleanup.h"
#include "keystore-tools/custody_commands.h"
#include "keystore-tools/delete.h"
#include "keystore-tools/exportcert.h"
#include "keystore-tools/exportref.h"
#include "keystore-tools/gencert.h"
#include "keystore-tools/gencrl.h"
#include "keystore-tools/genkeypair.h"
#include "keystore-tools/group_change.h"
#include "keystore-tools/group_diff.h"
#include "keystore-tools/group_init.h"
#include "keystore-tools/group_status.h"
#include "keystore-tools/group_sync.h"
#include "keystore-tools/group_test.h"
#include "keystore-tools/importcert.h"
#include "keystore-tools/importkeystore.h"
#include "keystore-tools/list.h"
#include "keystore-tools/printcert.h"
#include "keystore-tools/printcertreq.h"
#include "keystore-tools/printcrl.h"
#include "keystore-tools/remote_enrol.h"
#include "keystore-tools/showinfo.h"
#include "keystore-tools/store_options.h"
#include "keystore-tools/test.h"

namespace CLI {
class App;
}

namespace keystay::tools {

using Command =
    std::variant<List, GenKeyPair, CertReq, ImportCert, ExportCert, ExportRef, Delete, ChangeAlias, Cleanup,
                 Test, GroupAdd, GroupDiff, GroupInit, GroupPromote, GroupRemove, GroupReorder, GroupStatus,
                 GroupSync, GroupTest, RemoteEnrol, ImportKeyStore, GenCert, GenCrl, PrintCert, PrintCertReq,
                 PrintCrl, ShowInfo, ListSlots, ListTokens, ListMechanisms, InitToken, InitPin, UnblockPin,
                 ChangePin, Rotate, Renew, Deactivate, Activate, Retire, Audit, AcmeIssue, AcmeRenew,
                 GenSecKey, ImportSecKey, Encrypt, Decrypt, Mac, VerifyMac>;

// As keytool: -genkeypair, -genseckey and -importcert make one.
[[nodiscard]] MissingKeyStore missing_key_store(const Command& command);

struct CommandLine {
  StoreOptions store;
  Command command;
};

// Nothing if help or the version was asked for, which is on standard output then. Throws UsageError, with
// options in the GNU form: see as_written.
[[nodiscard]] std::optional<CommandLine> parse_command_line(std::vector<std::string> arguments);

// Shows what the command line is declared to be, for a manual and completions.
void with_declaration(const std::function<void(const CLI::App&)>& look);

// Whether some command has an option of this name ("alias") that wants a value.
[[nodiscard]] bool takes_value(std::string_view option);

}  // namespace keystay::tools
