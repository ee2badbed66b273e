// One request on a connection of HTTP/2, and its response (RFC 9113, section 8.1). Towards the frames it is
// what they tell and ask; towards its exchange it is the client.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "tlsd/async_wait.h"
#include "tlsd/http/exchange.h"
#include "tlsd/http/http_client.h"
#include "tlsd/http2/http2_frames.h"
#include "tlsd/http2/request_head.h"
#include "tlsd/protocol_handler.h"

namespace keystay::tlsd {

// The frames of the connection, and whom to tell that there are some to be sent.
struct Http2Output {
  Http2Frames& frames;
  AsyncWait& wake;
};

class Http2Stream final : public FramedStream, public HttpClient {
 public:
  Http2Stream(std::int32_t id, Http2Output output, Executor executor, const TlsClient& client);

  [[nodiscard]] std::int32_t id() const noexcept { return id_; }
  [[nodiscard]] http::verb method() const noexcept { return method_; }
  // Names and values of fields, and of the body what has come.
  [[nodiscard]] std::uint64_t request_bytes() const noexcept { return request_bytes_; }
  // When its first frame came.
  [[nodiscard]] Clock::time_point began() const noexcept { return began_; }
  [[nodiscard]] std::string request_line() const { return head_.request_line(); }
  // Its head is complete: parsed, or why not.
  [[nodiscard]] std::optional<Refusal> parse(RequestParser& request);
  // Between these, what ends the stream ends the exchange.
  void set_exchange(Exchange* exchange) noexcept { exchange_ = exchange; }
  // The exchange is over: what the client has not got is reset, and what it still sends is not wanted.
  void finish();
  // The whole connection ends, by the client or by this server.
  void abandon() noexcept;
  // A response was complete.
  [[nodiscard]] bool succeeded() const noexcept { return response_complete_; }

  // FramedStream
  [[nodiscard]] bool on_field(std::string_view name, std::string_view value) override;
  void on_head_end() override { head_complete_ = true; }
  void on_data(std::string_view bytes) override;
  void on_request_end() override;
  void on_close() noexcept override;
  [[nodiscard]] Part next_part(std::size_t most) override;
  void take_part(std::size_t size, std::string& output) override;

  // HttpClient
  [[nodiscard]] bool gone() const noexcept override { return cut || (closed_ && !response_complete_); }
  void interrupt() noexcept override;
  void clear_interrupt() noexcept override { interrupted_ = false; }
  [[nodiscard]] std::string local_authority() const override { return {}; }  // a request names its own
  [[nodiscard]] awaitable<RelayResult> pass_body(RequestParser& request, BackendConnection& backend,
                                                 MessageWriter& writer, const OnRelayWait& on_wait) override;
  [[nodiscard]] awaitable<void> pass_interim(ResponseParser& response) override;
  void frame(ResponseParser& response, const RequestParser& request, bool uploaded) override;
  [[nodiscard]] awaitable<RelayResult> pass_response(ResponseParser& response, BackendConnection& backend,
                                                     const OnRelayWait& on_wait) override;
  [[nodiscard]] bool response_begun() const noexcept override { return response_begun_; }
  [[nodiscard]] std::uint64_t body_bytes() const noexcept override { return body_bytes_; }
  [[nodiscard]] std::uint64_t bytes_taken() const noexcept override { return body_bytes_; }
  [[nodiscard]] After after_response(bool uploaded) const override {
    return uploaded ? After::keep_alive : After::linger;
  }
  [[nodiscard]] awaitable<error_code> send(Answer& answer) override;
  [[nodiscard]] awaitable<error_code> switch_protocols(ResponseParser& response) override;
  [[nodiscard]] awaitable<RelayEnd> tunnel(BackendConnection& backend, std::chrono::milliseconds idle_limit,
                                           ListenerMetrics& metrics) override;

  // The writer of a response, for relay_body().
  [[nodiscard]] bool head_begun() const noexcept { return response_begun_; }
  [[nodiscard]] error_code write_head(unsigned status, const http::fields& fields, Piece body);
  [[nodiscard]] awaitable<error_code> write_piece(std::string_view piece, Piece position);
  // Goes out behind the last piece. Before that.
  void add_trailer(http::fields trailer) { response_trailer_ = std::move(trailer); }

 private:
  class Tunnel;

  // All of the body that has come, at least a byte, unless that was the end.
  [[nodiscard]] awaitable<error_code> receive(std::string& piece);
  void consume(std::string& piece);
  void take_all();
  [[nodiscard]] bool ended() const noexcept { return closed_ || interrupted_ || cut; }
  [[nodiscard]] error_code reason_of_end() const noexcept;

  const std::int32_t id_;
  const Http2Output output_;
  const config::RequestSizes& sizes_;
  const Clock::time_point began_ = Clock::now();
  RequestHead head_;
  http::verb method_{};
  Exchange* exchange_ = nullptr;

  AsyncWait request_event_;  // of the request's body: more of it, or its end
  std::string received_;     // of it; at most a window
  std::uint64_t request_bytes_ = 0;
  http::fields request_trailer_;
  std::size_t trailer_size_ = 0;
  bool head_complete_ = false;  // of the request
  bool request_ended_ = false;  // by the client

  AsyncWait response_event_;  // of the response's body: a piece was taken
  std::string_view piece_;    // to be sent, and not taken yet
  Piece position_ = Piece::more;
  http::fields response_trailer_;
  bool taken_ = false;
  bool response_begun_ = false;
  bool response_complete_ = false;
  std::uint64_t body_bytes_ = 0;

  bool finished_ = false;  // the exchange is over
  bool closed_ = false;
  bool interrupted_ = false;
  std::uint32_t reset_code_ = NGHTTP2_INTERNAL_ERROR;  // where the response is not complete
};

}  // namespace keystay::tlsd
