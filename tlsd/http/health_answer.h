// What a listener with health-path says of the server, in any version of HTTP: 204 or 500, and no word of
// why.
#pragma once

#include "tlsd/admin/metrics.h"
#include "tlsd/admin/remote_health.h"
#include "tlsd/http/http.h"
#include "tlsd/http/http_client.h"
#include "tlsd/http/request_outcome.h"
#include "tlsd/snapshot.h"

namespace keystay::tlsd {

// GET or HEAD of exactly that path, without a body.
[[nodiscard]] bool asks_for_health(const ListenerSnapshot& listener, const RequestParser& request);

// `keep_alive` is what HTTP/1.1 says of the connection.
[[nodiscard]] awaitable<RequestOutcome> answer_health(HttpClient& client, bool keep_alive,
                                                      const RemoteHealth& health, ListenerMetrics& metrics);

}  // namespace keystay::tlsd
