// HTTP in clear, on a listener with `redirect`: one request, whose answer sends the client to https. The
// challenges of ACME, which authorities ask for in clear, go to a backend.
#pragma once

#include <string>
#include <string_view>

#include "tlsd/http/fault.h"
#include "tlsd/http/http.h"
#include "tlsd/http/read_head.h"
#include "tlsd/protocol_handler.h"

namespace keystay::tlsd {

class RedirectSession final : public ProtocolHandler {
 public:
  // The client's stream has no TLS; only its socket is used.
  explicit RedirectSession(const TlsClient& client);

  [[nodiscard]] awaitable<void> run() override;
  // The connection has one request, so that only a client that has sent nothing yet is ended.
  void drain() noexcept override;
  void cut() noexcept override;

 private:
  // False if there is nothing to go on with; then it was answered, where that made sense.
  [[nodiscard]] awaitable<bool> read_request(RequestParser& request);
  void note_request(const HeadRead& head);
  void write_access(unsigned status, std::uint64_t bytes, RelayOutcome end);
  [[nodiscard]] awaitable<bool> begins_with_tls();
  [[nodiscard]] awaitable<void> redirect(const RequestHeader& request);
  [[nodiscard]] awaitable<void> pass_on_challenge(RequestParser& request);
  [[nodiscard]] awaitable<bool> read_response(ResponseParser& response, std::string& reason);
  [[nodiscard]] awaitable<void> pass_on(ResponseParser& response);
  [[nodiscard]] awaitable<void> answer_fault(Fault fault, http::verb method, std::string_view reason);
  [[nodiscard]] awaitable<void> refuse(http::status status, std::string_view reason);
  [[nodiscard]] awaitable<void> answer(http::status status, std::string_view text, http::verb method,
                                       std::string_view location);
  [[nodiscard]] std::string server() const;  // for the log
  [[nodiscard]] awaitable<void> linger();
  void end_receiving() noexcept;
  void end_both() noexcept;

  const TlsClient client_;
  Socket& socket_;
  beast::flat_buffer buffer_;
  BackendConnectionPtr backend_;
  Clock::time_point begin_{};
  std::chrono::system_clock::time_point wall_begin_{};
  std::string line_;  // of the request, for the access log
  std::size_t head_size_ = 0;
  unsigned version_ = 11;   // of the client
  bool requested_ = false;  // a byte of the request has come
  bool cut_ = false;
};

}  // namespace keystay::tlsd
