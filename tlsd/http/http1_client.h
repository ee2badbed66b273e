// A client's connection of HTTP/1.1 or HTTP/1.0 (RFC 9112), as its exchanges see it.
#pragma once

#include "tlsd/http/http_bytes.h"
#include "tlsd/http/http_client.h"
#include "tlsd/tls/tls_stream.h"

namespace keystay::tlsd {

class Http1Client final : public HttpClient {
 public:
  Http1Client(TlsStream& client, const tcp::endpoint& client_endpoint, ClientLog& client_log,
              ListenerMetrics& metrics)
      : HttpClient(client, client_endpoint, client_log), stream(client), bytes_(client, metrics) {}

  // The head of the next request is parsed.
  void begin(const RequestParser& request);

  void interrupt() noexcept override { stream.interrupt(); }
  void clear_interrupt() noexcept override { stream.clear_interrupt(); }
  [[nodiscard]] std::string local_authority() const override;
  [[nodiscard]] awaitable<RelayResult> pass_body(RequestParser& request, BackendConnection& backend,
                                                 MessageWriter& writer, const OnRelayWait& on_wait) override;
  [[nodiscard]] awaitable<void> pass_interim(ResponseParser& response) override;
  void frame(ResponseParser& response, const RequestParser& request, bool uploaded) override;
  [[nodiscard]] awaitable<RelayResult> pass_response(ResponseParser& response, BackendConnection& backend,
                                                     const OnRelayWait& on_wait) override;
  [[nodiscard]] bool response_begun() const noexcept override { return response_begun_; }
  [[nodiscard]] std::uint64_t body_bytes() const noexcept override { return body_bytes_; }
  [[nodiscard]] std::uint64_t bytes_taken() const noexcept override { return stream.bytes_written(); }
  void count_bytes() override { bytes_.count(); }
  [[nodiscard]] After after_response(bool uploaded) const override;
  [[nodiscard]] awaitable<error_code> send(Answer& answer) override;
  [[nodiscard]] awaitable<error_code> switch_protocols(ResponseParser& response) override;
  [[nodiscard]] awaitable<RelayEnd> tunnel(BackendConnection& backend, std::chrono::milliseconds idle_limit,
                                           ListenerMetrics& metrics) override;

  TlsStream& stream;
  beast::flat_buffer buffer;  // read, and not yet part of a request

 private:
  // How the client will know where the response ends; false: by the end of the connection.
  [[nodiscard]] bool is_self_delimited(ResponseParser& response) const;

  // Of the request in flight.
  http::verb method_{};
  unsigned version_ = 11;
  bool keep_alive_ = false;  // after its response
  bool response_begun_ = false;
  std::uint64_t body_bytes_ = 0;  // of the response
  HttpBytes bytes_;
};

}  // namespace keystay::tlsd
