#include "tlsd/ocsp/ocsp_fetch.h"

#include <boost/asio/connect.hpp>
#include <boost/asio/ip/basic_resolver.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/vector_body.hpp>
#include <boost/beast/http/write.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

#include "tlsd/time_limit.h"

namespace keystay::tlsd {
namespace {

namespace beast = boost::beast;
namespace http = boost::beast::http;
using Resolver = asio::ip::basic_resolver<tcp, Executor>;
using Body = http::vector_body<unsigned char>;

constexpr std::chrono::seconds kLimit{10};
constexpr std::size_t kMostAnswer = 65536;
constexpr std::uint32_t kMostHead = 8192;

// What Boost.URL hands out, of several types.
template <typename View>
std::string text_of(const View& view) {
  return {view.data(), view.size()};
}

class Exchange final {
 public:
  Exchange(Executor executor, std::string responder, std::vector<unsigned char> request)
      : executor_(executor),
        responder_(std::move(responder)),
        socket_(executor),
        resolver_(executor),
        request_(http::verb::post, "/", 11, std::move(request)) {
    parser_.body_limit(kMostAnswer);
    parser_.header_limit(kMostHead);
  }

  [[nodiscard]] awaitable<OcspAnswer> run() {
    const TimeLimit limit(executor_, kLimit, [this] {
      error_code ignored;
      resolver_.cancel();
      socket_.cancel(ignored);
    });
    const std::string failure = co_await ask();
    if (limit.expired()) co_return failed("no answer in 10 s");
    if (!failure.empty()) co_return failed(failure);
    co_return OcspAnswer{std::move(parser_.get().body()), {}};
  }

 private:
  [[nodiscard]] OcspAnswer failed(const std::string& reason) const {
    return {{}, responder_ + ": " + reason};
  }

  // Empty, or what went wrong.
  [[nodiscard]] awaitable<std::string> ask() {
    const auto uri = boost::urls::parse_uri(responder_);
    if (!uri || uri->scheme() != "http" || uri->host().empty()) co_return "not a URI with http://";
    // No conditional inside of a co_await: GCC 12 destroys its temporaries twice.
    const std::string host = uri->host_address();
    const std::string port = uri->has_port() ? text_of(uri->port()) : "80";
    const auto [unresolved, addresses] = co_await resolver_.async_resolve(host, port, kOutcome);
    if (unresolved) co_return unresolved.message();
    const auto [unreached, _] = co_await asio::async_connect(socket_, addresses, kOutcome);
    if (unreached) co_return unreached.message();
    set_fields(*uri);
    const auto [unsent, sent] = co_await http::async_write(socket_, request_, kOutcome);
    if (unsent) co_return unsent.message();
    const auto [unread, size] = co_await http::async_read(socket_, buffer_, parser_, kOutcome);
    if (unread) co_return unread.message();
    if (parser_.get().result() != http::status::ok)
      co_return "answers with status " + std::to_string(parser_.get().result_int());
    co_return std::string();
  }

  void set_fields(boost::urls::url_view uri) {
    const std::string target = text_of(uri.encoded_resource());
    request_.target(target.empty() || target.front() != '/' ? "/" + target : target);
    request_.set(http::field::host, text_of(uri.encoded_host_and_port()));
    request_.set(http::field::content_type, "application/ocsp-request");
    request_.set(http::field::accept, "application/ocsp-response");
    request_.set(http::field::connection, "close");
    request_.prepare_payload();
  }

  Executor executor_;
  std::string responder_;
  asio::basic_stream_socket<tcp, Executor> socket_;
  Resolver resolver_;
  http::request<Body> request_;
  http::response_parser<Body> parser_;
  beast::flat_buffer buffer_{kMostHead};
};

}  // namespace

awaitable<OcspAnswer> fetch_ocsp(Executor executor, std::string responder,
                                 std::vector<unsigned char> request) {
  Exchange exchange(executor, std::move(responder), std::move(request));
  co_return co_await exchange.run();
}

}  // namespace keystay::tlsd
