// The administrator's listener, plain HTTP: GET /health and GET /metrics.
#pragma once

#include <memory>

#include "tlsd/health.h"
#include "tlsd/http.h"
#include "tlsd/listener.h"
#include "tlsd/metrics.h"

namespace keystay::tlsd {

class Admin final {
 public:
  Admin(Acceptor acceptor, Health& health, Metrics& metrics);
  Admin(const Admin&) = delete;
  Admin& operator=(const Admin&) = delete;

  void start();
  // From now on /health says so, and balancers send no more clients.
  void drain() noexcept { draining_ = true; }

 private:
  struct Reply {
    http::status status;
    std::string body;
  };

  [[nodiscard]] awaitable<void> serve(Socket socket, ConnectionLimit::Place place);
  [[nodiscard]] awaitable<Reply> reply(http::verb method, std::string target);
  [[nodiscard]] awaitable<Reply> health();

  Health& health_;
  Metrics& metrics_;
  bool draining_ = false;
  Executor executor_;
  Listener listener_;
};

}  // namespace keystay::tlsd
