#include "tlsd/protocol_handler.h"

#include "tlsd/http/http_session.h"
#include "tlsd/tcp/tcp_session.h"

namespace keystay::tlsd {

std::unique_ptr<ProtocolHandler> make_protocol_handler(const TlsClient& client) {
  switch (client.listener.settings.mode) {
    case config::ListenerMode::tcp:
      return std::make_unique<TcpSession>(client);
    case config::ListenerMode::http:
      break;
  }
  return std::make_unique<HttpSession>(client);
}

}  // namespace keystay::tlsd
