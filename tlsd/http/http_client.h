// The client's side of an exchange, whatever the version of HTTP: a connection of HTTP/1.1, which carries
// one request after another (Http1Client), or one stream of HTTP/2 (Http2Stream). The rules for requests and
// responses are those of Exchange; here is only how they come and go.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "tlsd/admin/client_log.h"
#include "tlsd/backend.h"
#include "tlsd/http/answer.h"
#include "tlsd/http/http.h"
#include "tlsd/http/message_writer.h"
#include "tlsd/http/relay_body.h"
#include "tlsd/tcp/byte_relay.h"
#include "tlsd/tls/tls_stream.h"

namespace keystay::tlsd {

using OnRelayWait = std::function<void(RelayWait)>;  // before each read and each write of a body

class HttpClient {
 public:
  HttpClient(const TlsStream& connection, const tcp::endpoint& client, ClientLog& client_log)
      : tls(connection), endpoint(client), log(client_log) {}
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;
  virtual ~HttpClient() = default;

  // Nobody is left to answer: this server stopped for good, or the client has given up its request.
  [[nodiscard]] virtual bool gone() const noexcept { return cut; }

  // Ends every wait for the client, now and until clear_interrupt().
  virtual void interrupt() noexcept = 0;
  virtual void clear_interrupt() noexcept = 0;

  // Where the client connected to, as an authority.
  [[nodiscard]] virtual std::string local_authority() const = 0;

  // The body of the request, to the backend; its head was written.
  [[nodiscard]] virtual awaitable<RelayResult> pass_body(RequestParser& request, BackendConnection& backend,
                                                         MessageWriter& writer,
                                                         const OnRelayWait& on_wait) = 0;

  // 1xx, and not 101 (RFC 9110, section 15.2).
  [[nodiscard]] virtual awaitable<void> pass_interim(ResponseParser& response) = 0;

  // Gives a final response the fields by which the client knows where it ends, and what follows it.
  virtual void frame(ResponseParser& response, const RequestParser& request, bool uploaded) = 0;
  // That response, with its head.
  [[nodiscard]] virtual awaitable<RelayResult> pass_response(ResponseParser& response,
                                                             BackendConnection& backend,
                                                             const OnRelayWait& on_wait) = 0;
  // The client has its head, or a part of it.
  [[nodiscard]] virtual bool response_begun() const noexcept = 0;
  // All of it was passed on.
  [[nodiscard]] virtual After after_response(bool uploaded) const = 0;

  // Of that response, without its framing.
  [[nodiscard]] virtual std::uint64_t body_bytes() const noexcept = 0;
  // Of the response, or of the whole connection, that the client has taken so far; for the difference of two.
  [[nodiscard]] virtual std::uint64_t bytes_taken() const noexcept = 0;
  // What has passed on the connection since the last call counts.
  virtual void count_bytes() {}

  // A response of our own, in place of one that has not begun.
  [[nodiscard]] virtual awaitable<error_code> send(Answer& answer) = 0;

  // A 101 for WebSocket, prepared; and then the bytes of both sides.
  [[nodiscard]] virtual awaitable<error_code> switch_protocols(ResponseParser& response) = 0;
  [[nodiscard]] virtual awaitable<RelayEnd> tunnel(BackendConnection& backend,
                                                   std::chrono::milliseconds idle_limit,
                                                   ListenerMetrics& metrics) = 0;

  const TlsStream& tls;  // of its connection
  const tcp::endpoint endpoint;
  ClientLog& log;
  bool draining = false;  // no further request is wanted
  bool cut = false;       // nothing is, for good
};

// Whether the client gets a body with the response (RFC 9112, section 6.3).
[[nodiscard]] inline bool response_has_body(http::verb method, http::status status) noexcept {
  return method != http::verb::head && status != http::status::no_content &&
         status != http::status::not_modified;
}

}  // namespace keystay::tlsd
