// A CancelRequest of PostgreSQL, which clients send on a connection of its own, many of them in clear also
// where the query that it ends runs in TLS. It is passed on, as a server of PostgreSQL takes it, and nothing
// else is.
#pragma once

#include <string>

#include "tlsd/protocol_handler.h"

namespace keystay::tlsd {

class CancelSession final : public ProtocolHandler {
 public:
  // `request`: the whole message.
  CancelSession(const TlsClient& client, std::string request)
      : client_(client), request_(std::move(request)) {}

  // Until the server has ended the connection, by which a client knows that the request was looked at.
  [[nodiscard]] awaitable<void> run() override;
  void drain() noexcept override {}
  void cut() noexcept override;

 private:
  void report_unreachable(error_code error);

  const TlsClient client_;
  std::string request_;
  BackendConnectionPtr backend_;
  bool cut_ = false;
};

}  // namespace keystay::tlsd
