#include "tests/tlsd/test_backend.h"

#include <stdexcept>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "tests/tlsd/http_response.h"

namespace keystay::test {

TestBackend::TestBackend(Handler handler, std::uint16_t port)
    : handler_(std::move(handler)), listening_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  const int reuse = 1;
  ::setsockopt(listening_.get(), SOL_SOCKET, SO_REUSEADDR, &reuse, sizeof reuse);
  socklen_t size = sizeof address;
  if (::bind(listening_.get(), reinterpret_cast<const sockaddr*>(&address), size) != 0 ||
      ::listen(listening_.get(), SOMAXCONN) != 0 ||
      ::getsockname(listening_.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    throw std::runtime_error("the test's backend cannot listen");
  }
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread([this] { accept(); });
}

TestBackend::~TestBackend() {
  stopping_ = true;
  ::shutdown(listening_.get(), SHUT_RDWR);
  acceptor_.join();
  {
    const std::scoped_lock lock(mutex_);
    for (const int descriptor : open_) ::shutdown(descriptor, SHUT_RDWR);
  }
  for (std::thread& thread : threads_) thread.join();
}

void TestBackend::accept() {
  for (;;) {
    Descriptor connection(::accept4(listening_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (stopping_) return;
    if (connection.get() < 0) continue;
    ++connections_;
    threads_.emplace_back(
        [this, connection = std::move(connection)]() mutable { serve(std::move(connection)); });
  }
}

void TestBackend::serve(Descriptor connection) {
  std::list<int>::iterator place;
  {
    const std::scoped_lock lock(mutex_);
    place = open_.insert(open_.end(), connection.get());
    if (stopping_) ::shutdown(connection.get(), SHUT_RDWR);
  }
  RawSocket socket(std::move(connection));
  handler_(socket);
  const std::scoped_lock lock(mutex_);
  open_.erase(place);
}

TestBackend::Handler TestBackend::hello(std::string body) {
  return [body = std::move(body)](RawSocket& client) {
    const std::string response =
        "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
    while (!read_until(client, "\r\n\r\n").empty()) {
      if (!client.write(response)) return;
    }
  };
}

TestBackend::Handler TestBackend::echo_head() {
  return [](RawSocket& client) {
    for (;;) {
      const std::string head = read_until(client, "\r\n\r\n");
      if (head.empty()) return;
      client.write("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(head.size()) + "\r\n\r\n" + head);
    }
  };
}

TestBackend::Handler TestBackend::answer_once(std::string response) {
  return [response = std::move(response)](RawSocket& client) {
    read_until(client, "\r\n\r\n");
    client.write(response);
  };
}

}  // namespace keystay::test
