#include "tlsd/protocol_handler.h"

#include "tlsd/http_session.h"

namespace keystay::tlsd {

std::unique_ptr<ProtocolHandler> make_protocol_handler(const TlsClient& client) {
  return std::make_unique<HttpSession>(client);
}

}  // namespace keystay::tlsd
