// All that a reload replaces at once: what each listener offers in TLS, its limits, and its backend.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "native/config/configuration.h"
#include "tlsd/access_log/access_log_file.h"
#include "tlsd/backend_servers.h"
#include "tlsd/http/error_pages.h"
#include "tlsd/route_table.h"
#include "tlsd/tls/library_context.h"
#include "tlsd/tls/tls_context.h"

namespace keystay::tlsd {

struct ListenerSnapshot {
  config::ListenerSettings settings;
  std::shared_ptr<BackendServers> servers;  // of what no route takes; null where a redirect has none
  RouteTable routes;
  std::vector<std::shared_ptr<BackendServers>> route_servers;  // in the order of the routes
  std::shared_ptr<const TlsContext> tls;
  std::shared_ptr<AccessLogFile> access_log;      // null: none; listeners may share one
  std::shared_ptr<const ErrorPages> error_pages;  // likewise
};

// A certificate that a degraded start has left out.
struct MissingCertificate {
  std::string name;
  std::string reason;  // a complete message
};

struct Snapshot {
  std::vector<std::shared_ptr<const ListenerSnapshot>> listeners;  // in the order of the configuration
  std::vector<std::shared_ptr<BackendServers>> backends;           // in use, each once
  Certificates certificates;                                       // likewise
  std::vector<MissingCertificate> missing;
  std::shared_ptr<TicketKeys> tickets;  // null: there are none
};

// Loads every certificate, makes one test signature with each key, and looks the names of backends up; slow,
// since it waits for tokens and for name servers. Opens access logs that `before` does not have. Tickets of
// `before`, where there is one, stay valid, unless the alias or the file gives other keys now, and so does
// what is known about servers of backends that have not changed. Throws CryptoError or std::runtime_error.
[[nodiscard]] std::shared_ptr<const Snapshot> build_snapshot(const LibraryContext& library,
                                                             const config::TlsdSettings& settings,
                                                             const Snapshot* before, Metrics& metrics);

// The same without the certificates that cannot be loaded now, and without addresses for names that cannot be
// resolved; those of `before` are taken as they are. A listener without any certificate ends each handshake
// with an alert.
[[nodiscard]] std::shared_ptr<const Snapshot> build_degraded_snapshot(const LibraryContext& library,
                                                                      const config::TlsdSettings& settings,
                                                                      const Snapshot* before,
                                                                      Metrics& metrics);

// What a look at the tokens has found.
struct Renewal {
  std::shared_ptr<const Snapshot> snapshot;  // with the new certificates; null if there are none
  std::vector<std::string> renewed;          // their names
  std::vector<MissingCertificate> failures;  // of which the old certificate stays
};

// Loads the certificates of `before` again whose names are aliases or URIs, and takes those that are others
// by now, after a test signature. Waits for tokens. Throws CryptoError where the snapshot cannot be built.
[[nodiscard]] Renewal build_renewed_snapshot(const LibraryContext& library, const Snapshot& before);

// Why `next` cannot replace `current` without a restart; empty if it can.
[[nodiscard]] std::string needs_restart(const config::TlsdSettings& current,
                                        const config::TlsdSettings& next);

}  // namespace keystay::tlsd
