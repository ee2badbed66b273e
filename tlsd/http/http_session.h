// HTTP on a client's connection: request after request.
#pragma once

#include <optional>
#include <string_view>

#include "tlsd/http/exchange.h"
#include "tlsd/http/http1_client.h"
#include "tlsd/http/request_access.h"
#include "tlsd/protocol_handler.h"

namespace keystay::tlsd {

class HttpSession final : public ProtocolHandler {
 public:
  explicit HttpSession(const TlsClient& client);

  [[nodiscard]] awaitable<void> run() override;
  // Ends the session after the request in flight, whose response says so; without one, after the next one if
  // that comes at once.
  void drain() noexcept override;
  void cut() noexcept override;

 private:
  [[nodiscard]] awaitable<bool> next_request();
  [[nodiscard]] awaitable<After> serve_request();
  // A head that passed the gate, parsed; otherwise it was answered and what follows is in the After.
  [[nodiscard]] awaitable<std::optional<After>> read_request(RequestParser& request,
                                                             Clock::time_point request_end);
  [[nodiscard]] awaitable<After> refuse(http::status status, std::string_view reason);
  [[nodiscard]] awaitable<After> answer_health(const RequestParser& request);
  [[nodiscard]] After lost_in_head(error_code error);
  void report_damaged(error_code error);
  [[nodiscard]] awaitable<void> close(After after);
  [[nodiscard]] awaitable<void> linger();
  void limit_last_request();

  Http1Client client_;
  const ListenerSnapshot& listener_;
  const RoutedBackends& backends_;
  ListenerMetrics& metrics_;
  const RemoteHealth& health_;
  RequestAccess access_;
  bool idle_ = false;                            // between requests
  std::optional<TimeLimit> last_request_limit_;  // while draining
  Exchange* exchange_ = nullptr;                 // the request in flight
};

}  // namespace keystay::tlsd
