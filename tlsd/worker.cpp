#include "tlsd/worker.h"

#include <algorithm>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include "tlsd/event_loop.h"

namespace keystay::tlsd {
namespace {

// 35 MB of stacks at most; many times what a token works on at once.
constexpr std::size_t kMostJobs = 1024;

// A connection between two threads: closed, unless one of them serves it.
class ReleasedSocket final {
 public:
  explicit ReleasedSocket(Socket& socket)
      : protocol_(socket.local_endpoint().protocol()), descriptor_(socket.release()) {}
  ReleasedSocket(ReleasedSocket&& other) noexcept
      : protocol_(other.protocol_), descriptor_(std::exchange(other.descriptor_, -1)) {}
  ReleasedSocket& operator=(ReleasedSocket&&) = delete;
  ReleasedSocket(const ReleasedSocket&) = delete;
  ReleasedSocket& operator=(const ReleasedSocket&) = delete;
  ~ReleasedSocket() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }

  [[nodiscard]] Socket adopt(Executor executor) {
    Socket socket(executor);
    socket.assign(protocol_, descriptor_);
    descriptor_ = -1;
    return socket;
  }

 private:
  StreamProtocol protocol_;
  int descriptor_;
};

}  // namespace

Worker::Worker(Metrics& metrics, const RemoteHealth& health, async::AbandonFunction abandon)
    : metrics_(metrics), health_(health), abandon_(abandon) {}

Worker::~Worker() {
  if (thread_.joinable()) thread_.join();
}

void Worker::add_listener(std::shared_ptr<const ListenerSnapshot> snapshot, std::vector<Acceptor> acceptors,
                          std::shared_ptr<ConnectionLimit> limit, std::shared_ptr<AddressLimits> addresses) {
  const std::size_t index = listeners_.size();
  const std::string& name = snapshot->settings.name;
  ListenerMetrics& metrics = metrics_.listener(name);
  listeners_.push_back(std::make_unique<ListenerOnThread>(ListenerOnThread{
      snapshot, nullptr, metrics, ClientLog(name, context_.get_executor(), metrics.log_lines_left_out()),
      AccessLog(name), std::move(addresses), health_}));
  listeners_.back()->access_log.use(snapshot->access_log, snapshot->settings.access_log.format);
  for (Acceptor& acceptor : acceptors) {
    acceptors_.push_back(
        std::make_unique<Listener>(std::move(acceptor), limit, metrics.accept_errors(),
                                   [this, index](Socket socket, ConnectionLimit::Place place) {
                                     serve(index, std::move(socket), std::move(place));
                                   }));
  }
}

std::shared_ptr<const RoutedBackends> Worker::backends_for(const ListenerSnapshot& listener) {
  auto backends = std::make_shared<RoutedBackends>();
  if (listener.servers) backends->fallback = backend_for(listener.servers);
  for (const auto& servers : listener.route_servers) backends->by_route.push_back(backend_for(servers));
  return backends;
}

std::shared_ptr<Backend> Worker::backend_for(const std::shared_ptr<BackendServers>& servers) {
  auto& backend = backends_[servers];
  if (!backend) backend = std::make_shared<Backend>(context_.get_executor(), servers, *tls_);
  return backend;
}

void Worker::share_with(const std::vector<std::unique_ptr<Worker>>& workers) {
  for (const auto& worker : workers) {
    if (worker.get() != this) others_.push_back(worker.get());
  }
}

void Worker::start(std::function<void()> on_end) {
  work_.emplace(context_.get_executor());
  thread_ = std::thread([this, on_end = std::move(on_end)] {
    run();
    on_end();
  });
}

void Worker::run() {
  JobPool jobs(kMostJobs, metrics_);
  tls_.emplace(TlsThread{jobs, metrics_, abandon_});
  for (const auto& listener : listeners_) listener->backends = backends_for(*listener->snapshot);
  for (const auto& listener : acceptors_) {
    ++accepting_;
    listener->start([this] {
      --accepting_;
      end_if_drained();
    });
  }
  run_event_loop(context_, "I/O thread", metrics_.exceptions());
  for (const auto& listener : listeners_) listener->backends.reset();
  backends_.clear();
  tls_.reset();
}

void Worker::use(std::shared_ptr<const Snapshot> snapshot) {
  asio::post(context_, [this, snapshot = std::move(snapshot)] {
    for (std::size_t i = 0; i < listeners_.size(); ++i) {
      listeners_[i]->snapshot = snapshot->listeners[i];
      listeners_[i]->backends = backends_for(*snapshot->listeners[i]);
      listeners_[i]->access_log.use(snapshot->listeners[i]->access_log,
                                    snapshot->listeners[i]->settings.access_log.format);
    }
    std::erase_if(backends_, [&](const auto& known) {
      return std::ranges::find(snapshot->backends, known.first) == snapshot->backends.end();
    });
  });
}

void Worker::drain() {
  asio::post(context_, [this] {
    draining_ = true;
    for (const auto& listener : acceptors_) listener->stop();
    for (Connection* connection : connections_) connection->drain();
    end_if_drained();
  });
}

void Worker::cut() {
  asio::post(context_, [this] {
    cut_ = true;
    for (Connection* connection : connections_) connection->cut();
  });
}

// A connection among those of its worker, until this object is gone. The coroutine of the connection owns it,
// so that it goes also where an exception destroys that coroutine: then complete() is never called.
class Worker::Served final {
 public:
  Served(Worker& worker, std::shared_ptr<Connection> connection)
      : worker_(worker), connection_(std::move(connection)) {
    worker_.connections_.insert(connection_.get());
    worker_.served_ = worker_.connections_.size();
  }
  Served(Served&&) noexcept = default;
  Served& operator=(Served&&) = delete;
  Served(const Served&) = delete;
  Served& operator=(const Served&) = delete;
  ~Served() {
    if (!connection_) return;  // moved
    if (!complete_) connection_->report("given up because of an exception in a handler");
    worker_.ended(*connection_);
  }

  [[nodiscard]] Connection& connection() noexcept { return *connection_; }

  void complete(const std::exception_ptr& failure) {
    if (failure)
      connection_->report(fmt::format("given up because of an exception: {}", description(failure)));
    complete_ = true;
  }

 private:
  Worker& worker_;
  std::shared_ptr<Connection> connection_;
  bool complete_ = false;
};

// The kernel gives a connection to one of the listening sockets by its addresses. Of many each thread gets
// its share so, but of two or three one thread may have all, and the processor of another nothing to do.
Worker* Worker::less_busy() const noexcept {
  const auto least = std::ranges::min_element(others_, {}, [](const Worker* other) { return other->load(); });
  if (least == others_.end() || load() <= 2 * (*least)->load()) return nullptr;
  return *least;
}

void Worker::serve(std::size_t listener, Socket socket, ConnectionLimit::Place place) {
  Worker* const other = less_busy();
  if (other == nullptr || !other->take(listener, socket, place))
    serve_here(listener, std::move(socket), std::move(place));
}

bool Worker::take(std::size_t listener, Socket& socket, ConnectionLimit::Place& place) {
  {
    const std::scoped_lock lock(arrivals_mutex_);
    if (ended_) return false;
    ++arriving_;
  }
  try {
    asio::post(context_,
               [this, listener, released = ReleasedSocket(socket), place = std::move(place)]() mutable {
                 struct Arrival {
                   Worker& worker;
                   ~Arrival() { worker.arrived(); }
                 } const arrival{*this};
                 serve_here(listener, released.adopt(context_.get_executor()), std::move(place));
               });
  } catch (...) {
    const std::scoped_lock lock(arrivals_mutex_);
    --arriving_;
    throw;  // the connection is closed
  }
  metrics_.connections_moved().Increment();
  return true;
}

void Worker::arrived() noexcept {
  {
    const std::scoped_lock lock(arrivals_mutex_);
    --arriving_;
  }
  end_if_drained();
}

void Worker::serve_here(std::size_t listener, Socket socket, ConnectionLimit::Place place) {
  Served served(
      *this, std::make_shared<Connection>(std::move(socket), std::move(place), *listeners_[listener], *tls_));
  Connection& connection = served.connection();
  if (draining_) connection.drain();
  if (cut_) connection.cut();
  asio::co_spawn(
      context_, connection.run(),
      [served = std::move(served)](const std::exception_ptr& failure) mutable { served.complete(failure); });
}

void Worker::ended(Connection& connection) noexcept {
  connections_.erase(&connection);
  served_ = connections_.size();
  end_if_drained();
}

// Once nothing is left to serve, idle connections to backends must not keep the thread.
void Worker::end_if_drained() noexcept {
  if (!draining_ || accepting_ > 0 || !connections_.empty()) return;
  {
    const std::scoped_lock lock(arrivals_mutex_);
    if (arriving_ > 0) return;
    ended_ = true;
  }
  for (const auto& listener : listeners_) {
    listener->log.end();
    listener->backends.reset();
  }
  backends_.clear();
  work_.reset();
}

}  // namespace keystay::tlsd
