#include "tlsd/accept/listening_socket.h"

#include <cerrno>
#include <stdexcept>
#include <system_error>

#include <boost/asio/ip/v6_only.hpp>
#include <fcntl.h>
#include <sys/socket.h>

#include "native/config/endpoint.h"

namespace keystay::tlsd {
namespace {

enum class Sharing { alone, with_own_threads };

std::string remedy(const error_code& error) {
  switch (error.value()) {
    case EADDRINUSE:
      return "; another program listens there: stop it (`ss -ltnp` shows it) or bind another port";
    case EACCES:
      return "; ports below 1024 need CAP_NET_BIND_SERVICE";
    case EADDRNOTAVAIL:
      return "; the address is not one of this machine";
    default:
      return "";
  }
}

void share_port(Acceptor& acceptor, error_code& error) {
  const int on = 1;
  if (::setsockopt(acceptor.native_handle(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) != 0) {
    error.assign(errno, boost::system::system_category());
  }
}

// Linux hands these on to every accepted connection: two system calls fewer for each.
void set_connection_options(Acceptor& acceptor, error_code& error) {
  acceptor.set_option(tcp::no_delay(true), error);
  if (!error) acceptor.set_option(asio::socket_base::keep_alive(true), error);
}

Acceptor bind(asio::io_context& context, const tcp::endpoint& endpoint, Sharing sharing) {
  Acceptor acceptor(context);
  error_code error;
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(asio::socket_base::reuse_address(true), error);
  if (!error && endpoint.address().is_v6()) acceptor.set_option(asio::ip::v6_only(true), error);
  if (!error && sharing == Sharing::with_own_threads) share_port(acceptor, error);
  if (!error) set_connection_options(acceptor, error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error) {
    throw std::runtime_error("cannot listen on " + to_text(endpoint) + ": " + error.message() +
                             remedy(error));
  }
  return acceptor;
}

}  // namespace

tcp::endpoint to_tcp(const config::Endpoint& endpoint) {
  return {asio::ip::make_address(endpoint.address), endpoint.port};
}

std::string to_text(const tcp::endpoint& endpoint) {
  return config::format_endpoint({endpoint.address().to_string(), endpoint.port()});
}

// Another tlsd would share its port by SO_REUSEPORT and take half of our clients: a socket without it finds
// out.
void expect_free(const config::Endpoint& endpoint) {
  if (endpoint.port == 0) return;
  asio::io_context context;
  static_cast<void>(bind(context, to_tcp(endpoint), Sharing::alone));
}

std::vector<Acceptor> listen(const config::Endpoint& endpoint,
                             const std::vector<asio::io_context*>& contexts) {
  expect_free(endpoint);
  tcp::endpoint address = to_tcp(endpoint);
  std::vector<Acceptor> acceptors;
  for (asio::io_context* context : contexts) {
    acceptors.push_back(bind(*context, address, Sharing::with_own_threads));
    address = acceptors.back().local_endpoint();
  }
  return acceptors;
}

std::vector<Acceptor> adopt(const config::FileDescriptor& socket,
                            const std::vector<asio::io_context*>& contexts) {
  std::vector<Acceptor> acceptors;
  for (asio::io_context* context : contexts) {
    const int copy = ::fcntl(socket.get(), F_DUPFD_CLOEXEC, 0);
    if (copy < 0) throw std::system_error(errno, std::generic_category(), "cannot share a listening socket");
    acceptors.emplace_back(*context, tcp::v6(), copy);  // the family is that of the socket
    error_code error;
    set_connection_options(acceptors.back(), error);
    if (error) throw std::system_error(error, "cannot prepare a listening socket");
  }
  return acceptors;
}

}  // namespace keystay::tlsd
