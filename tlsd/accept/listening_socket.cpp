#include "tlsd/accept/listening_socket.h"

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <system_error>

#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

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

bool is_socket(const std::string& path) {
  struct stat state {};
  return ::lstat(path.c_str(), &state) == 0 && S_ISSOCK(state.st_mode);
}

[[noreturn]] void fail_on_socket(const std::string& path, const std::string& reason) {
  throw std::runtime_error("cannot listen on unix:" + path + ": " + reason);
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

tcp::endpoint to_tcp(const StreamProtocol::endpoint& endpoint) {
  tcp::endpoint result;
  const int family = endpoint.protocol().family();
  if ((family != AF_INET && family != AF_INET6) || endpoint.size() > result.capacity()) return result;
  std::memcpy(result.data(), endpoint.data(), endpoint.size());
  result.resize(endpoint.size());
  return result;
}

std::string to_text(const tcp::endpoint& endpoint) {
  if (is_unspecified(endpoint)) return "unix";
  return config::format_endpoint({endpoint.address().to_string(), endpoint.port()});
}

std::string address_text(const tcp::endpoint& endpoint) {
  return is_unspecified(endpoint) ? "unknown" : endpoint.address().to_string();
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
    address = to_tcp(acceptors.back().local_endpoint());
  }
  return acceptors;
}

void expect_free_socket(const std::string& path) {
  if (!is_socket(path)) return;
  asio::io_context context;
  Socket probe(context);
  error_code error;
  probe.connect(asio::local::stream_protocol::endpoint(path), error);
  if (error != asio::error::connection_refused && error != asio::error::not_found)
    fail_on_socket(path, error ? error.message() : "a program listens there: stop it (`ss -lxp` shows it)");
}

std::vector<Acceptor> listen_on_socket(const std::string& path,
                                       const std::vector<asio::io_context*>& contexts) {
  expect_free_socket(path);
  if (is_socket(path)) ::unlink(path.c_str());
  const asio::local::stream_protocol::endpoint endpoint(path);
  std::vector<Acceptor> acceptors;
  for (asio::io_context* context : contexts) {
    Acceptor acceptor(*context);
    error_code error;
    if (acceptors.empty()) {
      acceptor.open(endpoint.protocol(), error);
      if (!error) acceptor.bind(endpoint, error);
      if (!error && ::chmod(path.c_str(), 0666) != 0) error.assign(errno, boost::system::system_category());
      if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
    } else {
      const int copy = ::fcntl(acceptors.front().native_handle(), F_DUPFD_CLOEXEC, 0);
      if (copy < 0) error.assign(errno, boost::system::system_category());
      if (!error) acceptor.assign(endpoint.protocol(), copy, error);
    }
    if (error) fail_on_socket(path, error.message());
    acceptors.push_back(std::move(acceptor));
  }
  return acceptors;
}

std::vector<Acceptor> adopt(const config::FileDescriptor& socket,
                            const std::vector<asio::io_context*>& contexts) {
  std::vector<Acceptor> acceptors;
  for (asio::io_context* context : contexts) {
    const int copy = ::fcntl(socket.get(), F_DUPFD_CLOEXEC, 0);
    if (copy < 0) throw std::system_error(errno, std::generic_category(), "cannot share a listening socket");
    acceptors.emplace_back(*context, StreamProtocol(tcp::v6()), copy);  // the family is that of the socket
    error_code error;
    set_connection_options(acceptors.back(), error);
    if (error) throw std::system_error(error, "cannot prepare a listening socket");
  }
  return acceptors;
}

}  // namespace keystay::tlsd
