// A connection of a listener of mode tcp: one connection to a server behind, and bytes both ways.
#pragma once

#include <boost/beast/core/flat_buffer.hpp>

#include "tlsd/protocol_handler.h"
#include "tlsd/tcp/byte_relay.h"

namespace keystay::tlsd {

class TcpSession final : public ProtocolHandler {
 public:
  explicit TcpSession(const TlsClient& client);

  [[nodiscard]] awaitable<void> run() override;
  // The end of a message is not known here, as it is in HTTP: the connection has until the server's
  // drain-timeout.
  void drain() noexcept override {}
  void cut() noexcept override;

 private:
  [[nodiscard]] awaitable<error_code> connect();
  [[nodiscard]] awaitable<bool> take_greeting();
  void report_no_greeting(std::string_view reason, BackendFault fault);
  void report_unreachable(error_code error);
  void write_access(const RelayEnd& end, unsigned status);
  [[nodiscard]] std::string server() const;  // for the log

  const TlsClient client_;
  Backend& servers_;                  // by the name that the client asked for
  boost::beast::flat_buffer buffer_;  // from the client
  BackendConnectionPtr backend_;
  bool cut_ = false;
  const std::chrono::system_clock::time_point wall_begin_ = std::chrono::system_clock::now();
  const Clock::time_point begin_ = Clock::now();
};

}  // namespace keystay::tlsd
