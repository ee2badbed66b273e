#include "tlsd/protocol_handler.h"

#include "tlsd/http/http_session.h"
#include "tlsd/http/redirect_session.h"
#include "tlsd/http2/http2_session.h"
#include "tlsd/tcp/tcp_session.h"

namespace keystay::tlsd {

std::unique_ptr<ProtocolHandler> make_protocol_handler(const TlsClient& client) {
  if (client.listener.settings.redirect) return std::make_unique<RedirectSession>(client);
  switch (client.listener.settings.mode) {
    case config::ListenerMode::tcp:
      return std::make_unique<TcpSession>(client);
    case config::ListenerMode::http:
      break;
  }
  if (client.stream.agreed().protocol == "h2") return std::make_unique<Http2Session>(client);
  return std::make_unique<HttpSession>(client);
}

}  // namespace keystay::tlsd
