// Bodies of HTTP/1.1 messages, chunked with extensions and trailers, or with a length, or to the end of the
// connection: a byte for the sizes of the pieces in which they come, a head, a body. What is passed on is the
// same body, and no input makes more be held than is written down.
#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/beast/http/buffer_body.hpp>

#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/law.h"
#include "tlsd/http/framing_gate.h"
#include "tlsd/http/relay_body.h"

namespace keystay::test {

using namespace keystay::tlsd;

// A connection whose peer sends these bytes, so many at a time, and then closes.
class Sender final {
 public:
  Sender(std::string_view bytes, std::size_t step) : bytes_(bytes), step_(step) {}

  template <typename Buffer, typename Token>
  awaitable<std::tuple<error_code, std::size_t>> async_read_some(const Buffer& buffer,
                                                                 const Token& /*token*/) {
    const std::size_t size = std::min({buffer.size(), step_, bytes_.size()});
    if (size == 0) co_return std::tuple(error_code(asio::error::eof), std::size_t{0});
    std::memcpy(buffer.data(), bytes_.data(), size);
    bytes_.remove_prefix(size);
    co_return std::tuple(error_code(), size);
  }

 private:
  std::string_view bytes_;
  std::size_t step_;
};

// A connection whose peer takes everything at once.
class Receiver final {
 public:
  using executor_type = Executor;
  explicit Receiver(asio::io_context& context) : executor_(context.get_executor()) {}
  [[nodiscard]] executor_type get_executor() const noexcept { return executor_; }

  template <typename Buffers, typename Handler>
  auto async_write_some(const Buffers& buffers, Handler&& handler) {
    return asio::async_initiate<Handler, void(error_code, std::size_t)>(
        [this, buffers](auto done) {
          std::size_t size = 0;
          for (auto at = asio::buffer_sequence_begin(buffers); at != asio::buffer_sequence_end(buffers);
               ++at) {
            received.append(static_cast<const char*>(at->data()), at->size());
            size += at->size();
          }
          asio::post(executor_,
                     [done = std::move(done), size]() mutable { std::move(done)(error_code(), size); });
        },
        handler);
  }

  std::string received;

 private:
  Executor executor_;
};

// What must hold whenever a relay waits.
struct Waiting {
  const beast::flat_buffer& unparsed;
  void operator()(RelayWait) const {
    require(unparsed.size() <= kMostUnparsed, "no more than is written down is held");
  }
};

namespace {

// The body of a message that was passed on, read by Beast's own parser.
template <bool is_request>
std::optional<std::string> body_of(const std::string& message) {
  http::parser<is_request, http::buffer_body> parser;
  parser.header_limit(2 * kMostResponseHead);
  parser.body_limit(boost::none);
  std::array<char, 512> piece;
  std::string body;
  std::string_view rest(message);
  while (!parser.is_done()) {
    parser.get().body().data = piece.data();
    parser.get().body().size = piece.size();
    error_code error;
    rest.remove_prefix(parser.put(asio::buffer(rest), error));
    body.append(piece.data(),
                piece.size() - (parser.is_header_done() ? parser.get().body().size : piece.size()));
    if (error == http::error::need_buffer || (!error && !rest.empty())) continue;
    if (error == http::error::need_more || rest.empty()) {
      error = {};
      parser.put_eof(error);
    }
    if (error) return std::nullopt;
  }
  return rest.empty() ? std::optional(body) : std::nullopt;
}

// RFC 9112, section 6.3: such responses have none, whatever their fields say, which are dropped by the
// exchange.
template <typename Message>
bool may_have_body(const Message& message) {
  if constexpr (Message::is_request::value) {
    return true;
  } else {
    const unsigned status = message.result_int();
    return status >= 200 && status != 204 && status != 304;
  }
}

template <bool is_request>
void relay(std::string_view head, std::string_view body, std::size_t step) {
  MessageParser<is_request> parser;
  parser.header_limit(is_request ? kMostRequestHead : kMostResponseHead);
  parser.body_limit(boost::none);
  error_code error;
  parser.put(asio::buffer(head), error);
  if (!parser.is_header_done() || (error && error != http::error::need_more)) return;
  if (!may_have_body(parser.get())) return;
  asio::io_context context(1);
  Sender sender(body, step);
  Receiver receiver(context);
  beast::flat_buffer buffer;
  std::optional<RelayResult> result;
  asio::co_spawn(
      context,
      [&]() -> awaitable<void> {
        MessageWriter writer(parser.get());
        result = co_await relay_body(sender, buffer, parser, receiver, writer, Waiting{buffer});
      },
      asio::detached);
  context.run();
  require(result.has_value(), "a relay ends");
  if (result->end != RelayResult::End::complete) return;
  if (!parser.chunked() && !parser.content_length()) return;  // ends with the connection
  require(body_of<is_request>(receiver.received).has_value(), "what is passed on whole is a whole message");
}

void pass(std::string_view input) {
  if (input.empty()) return;
  const std::size_t step = 1 + static_cast<unsigned char>(input.front()) * std::size_t{8};
  input.remove_prefix(1);
  const std::size_t end = head_size(input, 0);
  if (end == 0 || has_bare_line_end(input.substr(0, end), 0)) return;
  const auto head = input.substr(0, end);
  const auto body = input.substr(end);
  if (head.starts_with("HTTP/")) {
    if (!refuse_response(head)) relay<false>(head, body, step);
  } else if (!refuse_request(head)) {
    relay<true>(head, body, step);
  }
}

}  // namespace
}  // namespace keystay::test

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  keystay::test::pass({reinterpret_cast<const char*>(data), size});
  return 0;
}
