// One I/O thread: its io_context, its listeners, and its connections. Those that its listeners accept stay
// with it, unless another thread has much less to do; once a connection is served it never leaves its thread.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <unordered_set>
#include <vector>

#include "native/async/abandon.h"
#include "tlsd/accept/connection.h"
#include "tlsd/accept/listener.h"

namespace keystay::tlsd {

class Worker final {
 public:
  Worker(Metrics& metrics, const RemoteHealth& health, async::AbandonFunction abandon);
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;
  ~Worker();

  [[nodiscard]] asio::io_context& context() noexcept { return context_; }

  // Before start(). Listeners are numbered in this order; each has one acceptor per address.
  void add_listener(std::shared_ptr<const ListenerSnapshot> snapshot, std::vector<Acceptor> acceptors,
                    std::shared_ptr<ConnectionLimit> limit, std::shared_ptr<AddressLimits> addresses);

  // Before start(): the threads among which connections are shared, this one among them. All must live as
  // long as any of them runs.
  void share_with(const std::vector<std::unique_ptr<Worker>>& workers);

  // Calls `on_end` on the thread of the worker when it was drained and its last connection has ended.
  void start(std::function<void()> on_end);

  // From any thread.
  void use(std::shared_ptr<const Snapshot> snapshot);  // for connections to come
  void drain();                                        // no new connections; ends when the last one has ended
  void cut();                                          // ends all connections

 private:
  class Served;

  void run();
  // One Backend for each backend, whatever listeners and routes lead to it; those that a reload leaves as
  // they are keep theirs, with its idle connections.
  [[nodiscard]] std::shared_ptr<const RoutedBackends> backends_for(const ListenerSnapshot& listener);
  [[nodiscard]] std::shared_ptr<Backend> backend_for(const std::shared_ptr<BackendServers>& servers);
  void serve(std::size_t listener, Socket socket, ConnectionLimit::Place place);
  void serve_here(std::size_t listener, Socket socket, ConnectionLimit::Place place);
  // Another thread that is idle in comparison; null if there is none.
  [[nodiscard]] Worker* less_busy() const noexcept;
  // On another worker's thread: serves the connection here. False if this worker has ended, and nothing was
  // taken then.
  [[nodiscard]] bool take(std::size_t listener, Socket& socket, ConnectionLimit::Place& place);
  void arrived() noexcept;
  // Connections, and those that are on their way here.
  [[nodiscard]] std::size_t load() const noexcept { return served_ + arriving_; }
  void ended(Connection& connection) noexcept;
  void end_if_drained() noexcept;

  Metrics& metrics_;
  const RemoteHealth& health_;
  async::AbandonFunction abandon_;
  asio::io_context context_{1};  // one thread runs it
  std::optional<TlsThread> tls_;
  std::vector<std::unique_ptr<ListenerOnThread>> listeners_;
  std::vector<std::unique_ptr<Listener>> acceptors_;
  std::map<std::shared_ptr<BackendServers>, std::shared_ptr<Backend>> backends_;
  std::unordered_set<Connection*> connections_;
  std::vector<Worker*> others_;
  std::atomic<std::size_t> served_{0};    // the size of connections_, for the others
  std::atomic<std::size_t> arriving_{0};  // from other threads; changed under arrivals_mutex_ alone
  std::mutex arrivals_mutex_;
  bool ended_ = false;         // guarded by it: nothing can arrive any more
  std::size_t accepting_ = 0;  // listeners that have not stopped
  bool draining_ = false;
  bool cut_ = false;
  std::optional<asio::executor_work_guard<Executor>> work_;
  std::thread thread_;
};

}  // namespace keystay::tlsd
