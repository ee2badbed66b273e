// The administrator's listener, plain HTTP: GET /health, /health/groups and /metrics; and for people a status
// page, GET /, whose script asks for /status.json.
#pragma once

#include <list>
#include <memory>

#include <boost/beast/http/empty_body.hpp>

#include "tlsd/accept/listener.h"
#include "tlsd/admin/health.h"
#include "tlsd/admin/metrics.h"
#include "tlsd/admin/status.h"
#include "tlsd/http/http.h"

namespace keystay::tlsd {

class Admin final {
 public:
  // All but the acceptor must outlive it.
  Admin(Acceptor acceptor, const LibraryContext& library, Health& health, Metrics& metrics,
        const Status& status);
  Admin(const Admin&) = delete;
  Admin& operator=(const Admin&) = delete;

  void start();
  // From now on /health says so, and balancers send no more clients.
  void drain() noexcept { draining_ = true; }

 private:
  using Request = http::request<http::empty_body>;
  struct Reply {
    http::status status;
    std::string body;
    std::string_view content_type = "text/plain; charset=utf-8";
  };

  [[nodiscard]] awaitable<void> serve(Socket socket, ConnectionLimit::Place place);
  [[nodiscard]] awaitable<bool> read(Socket& socket, beast::flat_buffer& buffer, Request& request);
  [[nodiscard]] awaitable<Reply> reply(http::verb method, std::string target);
  [[nodiscard]] awaitable<Reply> health();
  [[nodiscard]] Reply document(std::string_view target) const;
  // Of a report that is empty if all is well.
  [[nodiscard]] static Reply health_reply(std::string report);

  const LibraryContext& library_;
  Health& health_;
  Metrics& metrics_;
  const Status& status_;
  // Connections whose request is awaited, or not complete; the longest first. Shared with them, which may
  // outlive us in their io_context.
  std::shared_ptr<std::list<Socket*>> idle_ = std::make_shared<std::list<Socket*>>();
  bool draining_ = false;
  Executor executor_;
  Listener listener_;
};

}  // namespace keystay::tlsd
