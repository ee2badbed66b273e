#include "tlsd/server_check.h"

#include <algorithm>
#include <array>
#include <string_view>

#include <boost/asio/write.hpp>
#include <fmt/format.h>

#include "tlsd/backend.h"
#include "tlsd/time_limit.h"

namespace keystay::tlsd {
namespace {

// The host of a UNIX socket is of no meaning (RFC 9112, section 3.2).
std::string request_for(const ServerPlace& place, const config::HealthCheck& check) {
  return fmt::format("GET {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: keystay-tlsd\r\nConnection: close\r\n\r\n",
                     check.path, place.host.starts_with("unix:") ? "localhost" : place.host);
}

// RFC 9112, section 4: what a server has sent so far.
std::string reason_of(std::string_view response) {
  constexpr std::string_view kForm = "HTTP/1.x ";
  constexpr std::size_t kMost = 60;
  const std::string_view line = response.substr(0, response.find("\r\n"));
  const std::string_view status = line.substr(std::min(line.size(), kForm.size()), 3);
  if (!line.starts_with("HTTP/1.") || status.size() < 3) return "it answered with other than HTTP/1.1";
  if (status[0] == '2' || status[0] == '3') return {};
  std::string shown(line.substr(kForm.size(), kMost));
  for (char& c : shown) {
    if (c < ' ' || c == 0x7F) c = '?';
  }
  return "it answered with " + shown;
}

awaitable<std::string> get(BackendStream& socket, std::string request) {
  const auto [write_error, _] = co_await asio::async_write(socket, asio::buffer(request), kOutcome);
  if (write_error) co_return write_error.message();
  std::array<char, 256> response;
  std::size_t size = 0;
  while (size < response.size() &&
         std::string_view(response.data(), size).find("\r\n") == std::string_view::npos) {
    const auto [error, read] = co_await socket.async_read_some(
        asio::buffer(response.data() + size, response.size() - size), kOutcome);
    if (error == asio::error::eof && size == 0) co_return "it closed the connection without an answer";
    if (error == asio::error::eof) break;
    if (error) co_return error.message();
    size += read;
  }
  co_return reason_of({response.data(), size});
}

}  // namespace

awaitable<std::string> check_server(Executor executor, ServerPlace place,
                                    std::shared_ptr<BackendServers> backend, TlsThread& thread) {
  const config::HealthCheck check = *backend->settings().health_check;
  BackendConnection connection(executor);
  const TimeLimit limit(executor, check.timeout, [&connection] { connection.interrupt(); });
  const error_code error = co_await connect_to(connection, place, {backend->tls(), thread, check.timeout});
  if (limit.expired() || error == asio::error::timed_out) co_return "it did not take a connection in time";
  if (error) co_return connection.reason_of(error);
  if (check.path.empty()) co_return std::string();
  std::string reason = co_await get(connection.socket, request_for(place, check));
  if (limit.expired()) co_return "it did not answer in time";
  co_return reason;
}

}  // namespace keystay::tlsd
