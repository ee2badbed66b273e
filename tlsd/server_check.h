// One health check of one server.
#pragma once

#include <string>

#include "tlsd/backend_servers.h"
#include "tlsd/execution.h"
#include "tlsd/tls/tls_stream.h"

namespace keystay::tlsd {

// Connects, with TLS where the backend has it, and, where the check has a path, gets it by HTTP/1.1: a status
// of 2xx or 3xx is good (RFC 9110, section 15). The result is why the check failed, for the log; empty if it
// did not.
[[nodiscard]] awaitable<std::string> check_server(Executor executor, ServerPlace place,
                                                  std::shared_ptr<BackendServers> backend, TlsThread& thread);

}  // namespace keystay::tlsd
