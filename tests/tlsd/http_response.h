// An HTTP response, read from a connection by a test: Beast parses it, the test sees the bytes too.
#pragma once

#include <string>
#include <string_view>

#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

namespace keystay::test {

namespace http = boost::beast::http;

struct HttpResponse {
  unsigned status = 0;  // 0: no response, or one that ended before it was complete
  http::fields fields;
  std::string body;
  bool keep_alive = false;

  [[nodiscard]] std::string field(std::string_view name) const { return std::string(fields[name]); }
};

// Reads one response; what follows it stays in `rest`. `head`: the request was a HEAD.
template <typename Connection>
HttpResponse read_response(Connection& connection, std::string& rest, http::verb method = http::verb::get) {
  http::response_parser<http::string_body> parser;
  parser.body_limit(boost::none);
  parser.eager(true);
  parser.skip(method == http::verb::head);
  boost::system::error_code error;
  while (!parser.is_done()) {
    if (!rest.empty()) {
      const std::size_t used = parser.put(boost::asio::buffer(rest), error);
      rest.erase(0, used);
      if (parser.is_done()) break;
      if (error && error != http::error::need_more) return {};
    }
    const std::string more = connection.read_some();
    if (more.empty()) {
      if (!parser.got_some()) return {};
      parser.put_eof(error);
      if (error || !parser.is_done()) return {};
      break;
    }
    rest += more;
  }
  auto& message = parser.get();
  return {message.result_int(), message.base(), message.body(), parser.keep_alive()};
}

template <typename Connection>
HttpResponse read_response(Connection& connection) {
  std::string rest;
  return read_response(connection, rest);
}

template <typename Connection>
HttpResponse send_request(Connection& connection, std::string_view request) {
  connection.write(request);
  return read_response(connection);
}

// Up to and with `end`; what was read if the connection ends before. Whatever follows is in the result, too.
template <typename Connection>
std::string read_until(Connection& connection, std::string_view end) {
  std::string text;
  while (text.find(end) == std::string::npos) {
    const std::string more = connection.read_some();
    if (more.empty()) break;
    text += more;
  }
  return text;
}

template <typename Connection>
std::string read_to_end(Connection& connection) {
  std::string text;
  for (std::string more = connection.read_some(); !more.empty(); more = connection.read_some()) text += more;
  return text;
}

}  // namespace keystay::test
