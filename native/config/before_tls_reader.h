// The keys of [[tlsd.listener]] about what happens before TLS, or in its place: who may connect, what proxies
// in front say, how clients ask for TLS, where those of HTTP are sent.
#pragma once

#include <string>
#include <vector>

#include "native/config/table_reader.h"
#include "native/config/tlsd_settings.h"

namespace keystay::config {

// `bind`: addresses into `bind`, UNIX sockets into `sockets`.
void read_bind(const TableReader& table, ListenerSettings& listener);

// The others, except for the backend. `listener.mode` is known already.
void read_before_tls(const TableReader& table, ListenerSettings& listener);

// Refuses what means nothing on a listener with `redirect`.
void check_redirect_keys(const TableReader& table);

}  // namespace keystay::config
