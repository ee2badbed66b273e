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

  // Ends the session after the request in flight, whose response says so; without one, after the next one if
  // that comes at once.
  void drain() noexcept;
  // Gives up on the backend, for good. The client's stream is cut by its owner.
  void cut() noexcept;

 private:
  [[nodiscard]] awaitable<bool> next_request();
  [[nodiscard]] awaitable<After> serve_request();
  // A head that passed the gate, parsed; otherwise it was answered and what follows is in the After.
  [[nodiscard]] awaitable<std::optional<After>> read_request(RequestParser& request,
                                                             Clock::time_point request_end);
  [[nodiscard]] awaitable<After> refuse(http::status status, std::string_view reason);
  [[nodiscard]] awaitable<void> close(After after);
  [[nodiscard]] awaitable<void> linger();
  void skip_empty_line();
  void limit_last_request();

  HttpClient client_;
  const ListenerSnapshot& listener_;
  Backend& backend_;
  ListenerMetrics& metrics_;
  bool idle_ = false;                            // between requests
  std::optional<TimeLimit> last_request_limit_;  // while draining
  Exchange* exchange_ = nullptr;                 // the request in flight
};

}  // namespace keystay::tlsd
