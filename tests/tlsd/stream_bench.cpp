#include "tests/tlsd/stream_bench.h"

#include <array>
#include <csignal>
#include <future>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>

#include "tests/tlsd/test_server.h"
#include "tlsd/accept/listening_socket.h"
#include "tlsd/event_loop.h"

namespace keystay::test {

namespace asio = boost::asio;
using tlsd::awaitable;
using tlsd::kOutcome;
using tlsd::run_event_loop;

StreamBench::StreamBench(StreamBenchOptions options)
    : options_(options),
      work_(context_.get_executor()),
      acceptor_(context_,
                tlsd::StreamProtocol::endpoint(tlsd::tcp::endpoint(asio::ip::make_address("127.0.0.1"), 0))) {
  std::signal(SIGPIPE, SIG_IGN);
  const auto name = write_certificate(directory_, "localhost.pem", KeyKind::ec, {"localhost"});
  auto certificate = std::make_shared<const tlsd::Certificate>(tlsd::load_certificate(library_.get(), name));
  const auto tickets = std::make_shared<tlsd::TicketKeys>(library_.get(), config::TicketSettings{});
  static_cast<void>(tickets->refresh(std::chrono::system_clock::now()));
  tls_ = std::make_shared<tlsd::TlsContext>(
      library_.get(), "test", tlsd::Certificates{std::move(certificate)}, tlsd::TlsTerms{.tickets = tickets});
  port_ = tlsd::to_tcp(acceptor_.local_endpoint()).port();
  asio::co_spawn(context_, accept(), asio::detached);
  thread_ = std::thread([this] { run(); });
}

StreamBench::~StreamBench() {
  asio::post(context_, [this] { acceptor_.close(); });
  work_.reset();
  thread_.join();
}

SSL_CTX* StreamBench::context() { return SSL_get_SSL_CTX(tls_->new_connection().get()); }

void StreamBench::run() {
  tlsd::JobPool jobs(options_.most_jobs, metrics_);
  thread_state_.emplace(tlsd::TlsThread{jobs, metrics_, options_.abandon});
  run_event_loop(context_, "streams", metrics_.exceptions());
}

// A stream among those of the bench, also where an exception destroys its coroutine.
class StreamBench::Open final {
 public:
  explicit Open(StreamBench& bench)
      : bench_(bench), place_(bench.streams_.insert(bench.streams_.end(), nullptr)) {
    const std::scoped_lock lock(bench_.mutex_);
    ++bench_.open_;
    bench_.changed_.notify_all();
  }
  void set(tlsd::TlsStream& stream) { *place_ = &stream; }
  Open(const Open&) = delete;
  Open& operator=(const Open&) = delete;
  ~Open() {
    bench_.streams_.erase(place_);
    const std::scoped_lock lock(bench_.mutex_);
    --bench_.open_;
    bench_.changed_.notify_all();
  }

 private:
  StreamBench& bench_;
  std::list<tlsd::TlsStream*>::iterator place_;
};

awaitable<void> StreamBench::accept() {
  for (;;) {
    tlsd::Socket socket(context_.get_executor());
    const auto [error] = co_await acceptor_.async_accept(socket, kOutcome);
    if (error) co_return;
    asio::co_spawn(context_, serve(std::move(socket)), asio::detached);
  }
}

awaitable<void> StreamBench::serve(tlsd::Socket socket) {
  Open open(*this);  // until nothing is left of the stream
  tlsd::TlsStream stream(std::move(socket), tls_, *thread_state_);
  open.set(stream);
  const tlsd::HandshakeResult result = co_await stream.handshake(options_.handshake_limit);
  {
    const std::scoped_lock lock(mutex_);
    results_.push_back(result);
  }
  changed_.notify_all();
  const bool shaken =
      result.handshake == tlsd::Handshake::full || result.handshake == tlsd::Handshake::resumed;
  if (shaken) co_await echo(stream);
}

awaitable<void> StreamBench::echo(tlsd::TlsStream& stream) {
  std::array<char, 40000> data;
  for (;;) {
    const auto [read_error, size] = co_await stream.async_read_some(asio::buffer(data), kOutcome);
    if (read_error) break;
    const auto [write_error, _] = co_await asio::async_write(stream, asio::buffer(data, size), kOutcome);
    if (write_error) co_return;
  }
  co_await stream.close_notify();
}

std::vector<tlsd::HandshakeResult> StreamBench::results(std::size_t count) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, std::chrono::seconds(30), [&] { return results_.size() >= count; });
  return results_;
}

int StreamBench::paused() { return static_cast<int>(metrics_.paused_handshakes().Value()); }

int StreamBench::given_up() { return static_cast<int>(metrics_.abandoned_signatures().Value()); }

bool StreamBench::wait_until_open(std::size_t streams) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, std::chrono::seconds(30), [&] { return open_ == streams; });
}

bool StreamBench::idle() { return wait_until_open(0); }

void StreamBench::interrupt_all() {
  on_thread([this] {
    for (tlsd::TlsStream* stream : streams_) stream->cut();
  });
}

void StreamBench::on_thread(std::function<void()> task) {
  std::promise<void> done;
  asio::post(context_, [&] {
    task();
    done.set_value();
  });
  done.get_future().wait();
}

}  // namespace keystay::test
