#include "tlsd/tcp/relay_report.h"

#include <fmt/format.h>

namespace keystay::tlsd {
namespace {

std::string fault_of(error_code error) {
  if (error == truncated()) return "it ended without close_notify";
  if (error == tls_failed()) return "what it sent is no TLS, or is damaged";
  return error.message();
}

}  // namespace

void report_relay(const RelayEnd& end, std::string_view what, const tcp::endpoint& client,
                  const std::string& server, ListenerMetrics& metrics, ClientLog& log) {
  metrics.relay_ended(end.outcome);
  switch (end.outcome) {
    case RelayOutcome::client:
      return log.write(client, fmt::format("{} broken off by the client: {}", what, fault_of(end.error)));
    case RelayOutcome::backend:
      metrics.backend_fault(BackendFault::broken_off);
      return log.warn(client, fmt::format("{} broken off: {}: {}", what, server, fault_of(end.error)));
    case RelayOutcome::idle:
      return log.write(client, fmt::format("{} given up: nothing moved for idle-timeout", what));
    case RelayOutcome::complete:
    case RelayOutcome::server:
      return;
  }
}

}  // namespace keystay::tlsd
