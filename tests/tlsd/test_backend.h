// A server behind tlsd, which does byte by byte what a test tells it.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <list>
#include <mutex>
#include <thread>

#include "tests/tlsd/raw_socket.h"

namespace keystay::test {

class TestBackend final {
 public:
  // Serves one connection, on a thread of its own; the connection is closed when it returns.
  using Handler = std::function<void(RawSocket&)>;

  // On a port of the kernel's choice, or on this one.
  explicit TestBackend(Handler handler, std::uint16_t port = 0);
  TestBackend(const TestBackend&) = delete;
  TestBackend& operator=(const TestBackend&) = delete;
  ~TestBackend();  // waits for the handlers, whose connections are shut down

  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
  [[nodiscard]] int connections() const noexcept { return connections_; }

  // Answers each request, whatever it is, with 200 and this body, for as long as the connection lasts.
  [[nodiscard]] static Handler hello(std::string body = "hello");
  // Answers each request with the head that it got.
  [[nodiscard]] static Handler echo_head();
  // One request; then writes `response` and closes.
  [[nodiscard]] static Handler answer_once(std::string response);

 private:
  void accept();
  void serve(Descriptor connection);

  Handler handler_;
  Descriptor listening_;
  std::uint16_t port_ = 0;
  std::atomic<int> connections_ = 0;
  std::atomic<bool> stopping_ = false;
  std::mutex mutex_;
  std::list<int> open_;
  std::list<std::thread> threads_;
  std::thread acceptor_;
};

}  // namespace keystay::test
