// Counts how a relay of bytes has ended, and says so in the log where one side broke it off.
#pragma once

#include <string>

#include "tlsd/admin/client_log.h"
#include "tlsd/tcp/byte_relay.h"

namespace keystay::tlsd {

// `what` is the relay in the words of the log: "connection", "tunnel"; `server` the one behind.
void report_relay(const RelayEnd& end, std::string_view what, const tcp::endpoint& client,
                  const std::string& server, ListenerMetrics& metrics, ClientLog& log);

}  // namespace keystay::tlsd
