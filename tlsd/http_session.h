// HTTP on a client's connection: request after request.
#pragma once

#include <optional>
#include <string_view>

#include "tlsd/exchange.h"

namespace keystay::tlsd {

class HttpSession final {
 public:
  HttpSession(TlsStream& stream, tcp::endpoint client, const ListenerSnapshot& listener, Backend& backend,
              ListenerMetrics& metrics, ClientLog& log);
  HttpSession(const HttpSession&) = delete;
  HttpSession& operator=(const HttpSession&) = delete;

  // Until the connection is closed in order, or is to be dropped.
  [[nodiscard]] awaitable<void> run();

  // Ends the session after the request in flight. A client that has not sent one yet may send its first, if
  // it is quick.
  void drain() noexcept;
  // Gives up on the backend, for good. The client's stream is cut by its owner.
  void cut() noexcept;

 private:
  [[nodiscard]] awaitable<bool> next_request();
  [[nodiscard]] awaitable<After> serve_request();
  // A head that passed the gate, parsed; otherwise it was answered and what follows is in the After.
  [[nodiscard]] awaitable<std::optional<After>> read_request(RequestParser& request);
  [[nodiscard]] awaitable<After> refuse(http::status status, std::string_view reason);
  [[nodiscard]] awaitable<void> close(After after);
  [[nodiscard]] awaitable<void> linger();
  void skip_empty_line();

  HttpClient client_;
  const ListenerSnapshot& listener_;
  Backend& backend_;
  ListenerMetrics& metrics_;
  bool idle_ = false;                             // between requests
  bool served_ = false;                           // one request at least
  std::optional<TimeLimit> first_request_limit_;  // while draining
  Exchange* exchange_ = nullptr;                  // the request in flight
};

}  // namespace keystay::tlsd
