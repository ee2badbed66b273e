// The options of the commands of ACME.
#pragma once

#include "keystore-tools/acme_issue.h"
#include "keystore-tools/acme_renew.h"

namespace CLI {
class App;
}

namespace keystay::tools {

void declare(CLI::App& options, AcmeIssue& command);
void declare(CLI::App& options, AcmeRenew& command);

}  // namespace keystay::tools
