#include "tlsd/http2/http2_session.h"

#include <array>
#include <exception>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <fmt/format.h>

#include "tlsd/event_loop.h"
#include "tlsd/http/answer.h"
#include "tlsd/http/health_answer.h"

namespace keystay::tlsd {
namespace {

// One request's body that a backend does not take holds up no other on the connection before four do.
constexpr std::uint32_t kStreamWindow = 128 * 1024;
constexpr std::uint32_t kConnectionWindow = 512 * 1024;
constexpr int kMostAtOnce = 8;              // records read before the thread serves others
constexpr std::size_t kOutput = 16 * 1024;  // a record of TLS
constexpr std::chrono::seconds kCloseLimit{5};
constexpr std::chrono::seconds kLingerLimit{2};
constexpr std::chrono::seconds kLastRequestsLimit{1};  // for requests on their way, once the server stops

Http2Frames::Limits limits_of(const config::ListenerSettings& listener) {
  return {.streams = static_cast<std::uint32_t>(listener.http2_max_streams),
          .stream_window = kStreamWindow,
          .connection_window = kConnectionWindow,
          .header_list = static_cast<std::uint32_t>(listener.request_sizes.head),
          .extended_connect = true};
}

}  // namespace

// A stream with its exchange, until this object is gone. The coroutine of the exchange owns it, so that it
// goes also where an exception destroys that coroutine; and it keeps the connection that the exchange uses.
class Http2Session::Served final {
 public:
  Served(Http2Session& session, std::shared_ptr<Http2Stream> stream)
      : connection_(session.client_.connection.lock()), session_(session), stream_(std::move(stream)) {
    ++session_.active_;
  }
  Served(Served&&) noexcept = default;
  Served& operator=(Served&&) = delete;
  Served(const Served&) = delete;
  Served& operator=(const Served&) = delete;
  ~Served() {
    if (stream_) session_.request_ended(*stream_);
  }

  void report(const std::exception_ptr& failure) const {
    session_.client_.log.write(
        session_.client_.endpoint,
        fmt::format("a request is given up because of an exception: {}", description(failure)));
  }

 private:
  std::shared_ptr<void> connection_;
  Http2Session& session_;
  std::shared_ptr<Http2Stream> stream_;
};

Http2Session::Http2Session(const TlsClient& client)
    : client_(client),
      executor_(client.stream.get_executor()),
      frames_(*this, limits_of(client.listener.settings)),
      wake_(executor_),
      bytes_(client.stream, client.metrics),
      access_(client) {}

awaitable<void> Http2Session::run() {
  using asio::experimental::awaitable_operators::operator&&;
  // Where an exception ends this coroutine, the exchanges end by themselves.
  struct Ending {
    Http2Session& session;
    ~Ending() { session.abandon_streams(); }
  } const ending{*this};
  limit_idle_time();
  co_await (read_frames() && write_frames());
  co_await close();
}

// Until the client or the protocol ends it.
awaitable<void> Http2Session::read_frames() {
  int at_once = 0;
  while (!broken_ && frames_.wants_input()) {
    auto [error, bytes] = client_.stream.read_now();
    if (!error && bytes.empty()) {
      at_once = 0;
      error = co_await client_.stream.wait_for_input();
      if (!error) continue;
    }
    if (error) {
      broken_ = !over_;
      closed_by_client_ = error == asio::error::eof;
      break;
    }
    receive(bytes);
    bytes_.count();
    begin_requests();
    limit_head();
    if (frames_.wants_output()) wake_.notify();
    if (++at_once % kMostAtOnce == 0) co_await asio::post(executor_, kOutcome);  // let others have their turn
  }
  if (broken_) abandon_streams();
  wake_.notify();
}

// Until all is sent that will be, or nothing can be.
awaitable<void> Http2Session::write_frames() {
  while (!broken_) {
    wake_.reset();
    frames_.fill(output_, kOutput);
    if (output_.empty()) {
      over_ = !frames_.wants_input() && !frames_.wants_output();
      if (over_) break;
      if (active_ == 0) output_.shrink_to_fit();
      co_await wake_.wait();
      continue;
    }
    const TimeLimit stall(executor_, client_.listener.settings.stall_timeout,
                          [this] { client_.stream.interrupt(); });
    const auto [error, _] = co_await asio::async_write(client_.stream, asio::buffer(output_), kOutcome);
    output_.clear();
    bytes_.count();
    if (!error) continue;
    broken_ = true;
    if (stall.expired()) client_.log.write(client_.endpoint, "took nothing of HTTP/2 for stall-timeout");
  }
  abandon_streams();
  client_.stream.interrupt();  // the reader
  while (active_ > 0) {
    wake_.reset();
    co_await wake_.wait();
  }
}

// In order, unless the connection is broken.
awaitable<void> Http2Session::close() {
  if (cut_ || (broken_ && !closed_by_client_)) co_return;
  client_.stream.clear_interrupt();
  const TimeLimit limit(executor_, kCloseLimit, [this] { client_.stream.interrupt(); });
  co_await client_.stream.close_notify();
  // A reset, which a socket with unread bytes sends when it is closed, would destroy what was sent last.
  Socket& socket = client_.stream.socket();
  const TimeLimit linger(executor_, kLingerLimit, [&socket] {
    error_code ignored;
    socket.shutdown(Socket::shutdown_receive, ignored);
  });
  std::array<char, 4096> discarded;
  while (!linger.expired()) {  // shutdown(2) does not end what goes on to come
    const auto [error, _] = co_await socket.async_read_some(asio::buffer(discarded), kOutcome);
    if (error) co_return;
  }
}

void Http2Session::receive(std::span<const std::uint8_t> bytes) {
  frames_.receive(bytes);
  if (!budget_.spend_bytes(static_cast<std::int64_t>(bytes.size()) - frames_.accounted())) flooded_ = true;
  if (!flooded_) return;
  begun_.clear();
  frames_.terminate(NGHTTP2_ENHANCE_YOUR_CALM, "too many frames that move nothing");
}

// Behind receive(), since libnghttp2 is not to be called back while it reads.
void Http2Session::begin_requests() {
  for (auto& stream : std::exchange(begun_, {})) {
    Http2Stream& request = *stream;
    Served served(*this, std::move(stream));
    idle_limit_.reset();
    asio::co_spawn(executor_, serve(request),
                   [served = std::move(served)](const std::exception_ptr& failure) {
                     if (failure) served.report(failure);
                   });
  }
}

awaitable<void> Http2Session::serve(Http2Stream& stream) {
  RequestParser request;
  const std::string line = access_.line(stream);
  if (const auto refusal = stream.parse(request)) {
    co_await refuse(stream, *refusal, line);
    co_return stream.finish();
  }
  if (asks_for_health(client_.listener, request)) {
    const RequestOutcome outcome = co_await answer_health(stream, true, client_.health, client_.metrics);
    access_.write(stream, line, &request.get(), outcome);
    co_return stream.finish();
  }
  const auto request_end = stream.began() + client_.listener.settings.request_timeout;
  Exchange exchange(stream, request, request_end, client_.listener, client_.backends, client_.metrics);
  struct InFlight {
    Http2Stream& stream;
    ~InFlight() { stream.set_exchange(nullptr); }
  } const in_flight{stream};
  stream.set_exchange(&exchange);
  static_cast<void>(co_await exchange.run());
  exchange.count_request();
  access_.write(stream, line, &request.get(), exchange.outcome());
  stream.finish();
}

// Costs the client something, since unlike one of HTTP/1.1 it may go on on the same connection.
awaitable<void> Http2Session::refuse(Http2Stream& stream, const Refusal& refusal, std::string_view line) {
  const auto status = static_cast<unsigned>(refusal.status);
  client_.log.write(client_.endpoint, fmt::format("request refused with {}: {}", status, refusal.reason));
  client_.metrics.own_answer(status);
  on_cost(FrameBudget::kMalformed);
  const TimeLimit limit(executor_, kCloseLimit, [&stream] { stream.interrupt(); });
  Answer answer =
      make_answer(refusal.status, refusal.reason, stream.method(), client_.listener.error_pages.get());
  RequestOutcome outcome{status, answer.body().size(), Clock::now()};
  const error_code error = co_await stream.send(answer);
  if (error) outcome.end = RelayOutcome::client;
  access_.write(stream, line, nullptr, outcome);
}

// Whatever ended it; after an exception the client sees the stream reset.
void Http2Session::request_ended(Http2Stream& stream) noexcept {
  --active_;
  try {
    if (stream.succeeded()) budget_.earn(FrameBudget::kResponse);
    stream.finish();
    if (active_ == 0) limit_idle_time();
  } catch (const std::exception&) {
    client_.stream.interrupt();  // no memory for a frame or a timer
  }
  wake_.notify();
}

void Http2Session::limit_idle_time() {
  idle_limit_.emplace(executor_, client_.listener.settings.idle_timeout, [this] { end_idle_connection(); });
}

// A field section that is not complete holds up the whole connection. Its stream has no exchange yet.
void Http2Session::limit_head() {
  if (!frames_.in_field_section()) return head_limit_.reset();
  if (head_limit_) return;
  head_limit_.emplace(executor_, client_.listener.settings.request_head_timeout, [this] {
    client_.log.write(client_.endpoint, "HTTP/2: the head of a request did not arrive in time");
    end_idle_connection();
  });
}

void Http2Session::end_idle_connection() noexcept {
  try {
    frames_.terminate(NGHTTP2_NO_ERROR, {});
    wake_.notify();
  } catch (const std::exception&) {
    client_.stream.interrupt();
  }
}

void Http2Session::abandon_streams() noexcept {
  for (const auto& [_, stream] : streams_) {
    stream->cut = stream->cut || cut_;
    stream->abandon();
  }
}

void Http2Session::drain() noexcept {
  try {
    frames_.announce_end();
    wake_.notify();
    last_requests_limit_.emplace(executor_, kLastRequestsLimit, [this] {
      frames_.refuse_new_streams();
      wake_.notify();
    });
  } catch (const std::exception&) {
    client_.stream.interrupt();
  }
}

void Http2Session::cut() noexcept {
  cut_ = broken_ = true;
  abandon_streams();
  wake_.notify();
}

FramedStream* Http2Session::on_request(std::int32_t id) {
  auto stream = std::make_shared<Http2Stream>(id, Http2Output{frames_, wake_}, executor_, client_);
  return streams_.emplace(id, std::move(stream)).first->second.get();
}

// Exchanges end a little later than their streams: a client that opens and resets in turn may have more of
// them than streams, but not without end (CVE-2023-44487).
void Http2Session::on_request_head(FramedStream& framed) {
  auto& stream = static_cast<Http2Stream&>(framed);
  if (active_ + begun_.size() < 2 * client_.listener.settings.http2_max_streams) {
    begun_.push_back(streams_.at(stream.id()));
    return;
  }
  on_cost(FrameBudget::kMalformed);
  frames_.reset(stream.id(), NGHTTP2_REFUSED_STREAM);
}

void Http2Session::on_cost(std::int64_t points) {
  if (!budget_.spend(points)) flooded_ = true;
}

void Http2Session::on_malformed(std::string_view why) {
  client_.log.write(client_.endpoint, fmt::format("request refused: malformed HTTP/2: {}", why));
}

void Http2Session::on_stream_error(std::uint32_t code) {
  client_.metrics.http2_error(Http2Scope::stream, nghttp2_http2_strerror(code));
}

void Http2Session::on_connection_error(std::uint32_t code, std::string_view why) {
  const std::string_view error = nghttp2_http2_strerror(code);
  client_.metrics.http2_error(Http2Scope::connection, error);
  client_.log.write(client_.endpoint,
                    fmt::format("HTTP/2 ended with {}{}{}", error, why.empty() ? "" : ": ", why));
}

}  // namespace keystay::tlsd
