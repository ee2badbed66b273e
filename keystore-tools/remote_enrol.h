// remote enrol: what this machine needs to use a token on another one, and the configuration of both ends.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "keystore-tools/store_options.h"

namespace keystay::tools {

struct RemoteEnrol {
  std::vector<std::string> endpoints;  // "hsm.example:4442"
  std::string host;                    // in the endpoints' certificates; empty: the endpoint's own
  std::string name;                    // of this machine, in its certificate; empty: what uname(2) says
  std::string label;                   // of the token; empty: `serial`, or the name of its section
  std::string serial;
  std::filesystem::path directory;  // for the files; empty: that of the configuration

  // Makes client-key.pem (EC P-256, 0600) and the request client.csr in the directory, and writes to standard
  // output [token.NAME] for this machine (NAME: -token, else "hsm") and the listener, the backend and the
  // command of p11-kit for the other one. Nothing that exists is overwritten: Failure. Throws UsageError for
  // values that the configuration would refuse, before anything is made.
  void run(const StoreOptions& options) const;
};

// Why it is no endpoint on another machine; empty if it is one.
[[nodiscard]] std::string fault_of_remote_endpoint(const std::string& text);

}  // namespace keystay::tools
