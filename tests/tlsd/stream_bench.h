// TlsStream on a thread of its own: shakes hands with every client, and then sends back what it gets.
#pragma once

#include <condition_variable>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include <boost/asio/executor_work_guard.hpp>

#include "tests/support/temporary_directory.h"
#include "tlsd/admin/metrics.h"
#include "tlsd/tls/library_context.h"
#include "tlsd/tls/tls_stream.h"

namespace keystay::test {

struct StreamBenchOptions {
  std::chrono::milliseconds handshake_limit{30'000};
  std::size_t most_jobs = 64;
  async::AbandonFunction abandon = nullptr;
};

class StreamBench final {
 public:
  explicit StreamBench(StreamBenchOptions options = {});
  StreamBench(const StreamBench&) = delete;
  StreamBench& operator=(const StreamBench&) = delete;
  ~StreamBench();  // after every connection has ended

  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
  // What new connections are made from.
  [[nodiscard]] SSL_CTX* context();

  // The results of the first `count` handshakes, in the order of their ends. Fewer after 30 s.
  [[nodiscard]] std::vector<tlsd::HandshakeResult> results(std::size_t count);
  [[nodiscard]] int paused();
  // How many signatures are no longer wanted, whether or not they have ended.
  [[nodiscard]] int given_up();
  // Waits until there are so many streams, at most 30 s.
  [[nodiscard]] bool wait_until_open(std::size_t streams);
  // Waits until no stream is left.
  [[nodiscard]] bool idle();

  // As the server's stop does.
  void interrupt_all();
  // Runs something on the thread of the streams and waits for it: returns only if that thread is not blocked.
  void on_thread(std::function<void()> task);

 private:
  class Open;

  void run();
  [[nodiscard]] tlsd::awaitable<void> accept();
  [[nodiscard]] tlsd::awaitable<void> serve(tlsd::Socket socket);
  [[nodiscard]] static tlsd::awaitable<void> echo(tlsd::TlsStream& stream);

  StreamBenchOptions options_;
  TemporaryDirectory directory_;
  tlsd::LibraryContext library_;
  std::shared_ptr<const tlsd::TlsContext> tls_;
  tlsd::Metrics metrics_;
  tlsd::asio::io_context context_{1};
  tlsd::asio::executor_work_guard<tlsd::Executor> work_;
  tlsd::Acceptor acceptor_;
  std::uint16_t port_ = 0;
  std::optional<tlsd::TlsThread> thread_state_;
  std::list<tlsd::TlsStream*> streams_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<tlsd::HandshakeResult> results_;
  std::size_t open_ = 0;
  std::thread thread_;
};

}  // namespace keystay::test
