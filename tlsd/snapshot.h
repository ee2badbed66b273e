// All that a reload replaces at once: what each listener offers in TLS, its limits, and its backend.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "native/config/configuration.h"
#include "tlsd/tls/library_context.h"
#include "tlsd/tls/tls_context.h"

namespace keystay::tlsd {

struct ListenerSnapshot {
  config::ListenerSettings settings;
  config::BackendSettings backend;
  std::shared_ptr<const TlsContext> tls;
};

struct Snapshot {
  std::vector<std::shared_ptr<const ListenerSnapshot>> listeners;  // in the order of the configuration
  Certificates certificates;                                       // each once
};

// Loads every certificate and makes one test signature with each key; slow, since it waits for tokens.
// Tickets of `before`, where there is one, stay valid. Throws CryptoError.
[[nodiscard]] std::shared_ptr<const Snapshot> build_snapshot(const LibraryContext& library,
                                                             const config::TlsdSettings& settings,
                                                             const Snapshot* before);

// Why `next` cannot replace `current` without a restart; empty if it can.
[[nodiscard]] std::string needs_restart(const config::TlsdSettings& current,
                                        const config::TlsdSettings& next);

}  // namespace keystay::tlsd
