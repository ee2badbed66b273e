#include "tlsd/http/http1_client.h"

#include <boost/beast/http/write.hpp>

#include "tlsd/accept/listening_socket.h"

namespace keystay::tlsd {

void Http1Client::begin(const RequestParser& request) {
  method_ = request.get().method();
  version_ = request.get().version();
  keep_alive_ = false;
  response_begun_ = false;
  body_bytes_ = 0;
}

std::string Http1Client::local_authority() const {
  error_code ignored;
  return to_text(to_tcp(stream.socket().local_endpoint(ignored)));
}

awaitable<RelayResult> Http1Client::pass_body(RequestParser& request, BackendConnection& backend,
                                              MessageWriter& writer, const OnRelayWait& on_wait) {
  co_return co_await relay_body(stream, buffer, request, backend.socket, writer, std::ref(on_wait));
}

awaitable<void> Http1Client::pass_interim(ResponseParser& response) {
  if (version_ < 11) co_return;  // HTTP/1.0 does not know them
  MessageWriter writer(response.get());
  static_cast<void>(co_await writer.write_head(stream));
}

void Http1Client::frame(ResponseParser& response, const RequestParser& request, bool uploaded) {
  auto& message = response.get();
  keep_alive_ = is_self_delimited(response) && uploaded && request.keep_alive() && !draining;
  message.keep_alive(keep_alive_);
  if (keep_alive_ && version_ < 11) message.set(http::field::connection, "keep-alive");
}

bool Http1Client::is_self_delimited(ResponseParser& response) const {
  auto& message = response.get();
  if (!response_has_body(method_, message.result())) {
    message.erase(http::field::transfer_encoding);
    if (message.result() == http::status::no_content) message.erase(http::field::content_length);
    return true;
  }
  if (version_ >= 11) {
    if (response.need_eof()) message.chunked(true);
    return true;
  }
  message.erase(http::field::transfer_encoding);
  return !response.chunked() && !response.need_eof();
}

awaitable<RelayResult> Http1Client::pass_response(ResponseParser& response, BackendConnection& backend,
                                                  const OnRelayWait& on_wait) {
  MessageWriter writer(response.get());
  // The head goes out with the first piece of the body, if that is there already.
  if (!response.is_done() && backend.buffer.size() == 0) {
    response_begun_ = true;
    if (const error_code error = co_await writer.write_head(stream))
      co_return RelayResult{RelayResult::End::output_failed, error};
  }
  const RelayResult result =
      co_await relay_body(backend.socket, backend.buffer, response, stream, writer, std::ref(on_wait));
  response_begun_ = writer.head_begun();
  body_bytes_ = writer.body_bytes();
  co_return result;
}

After Http1Client::after_response(bool uploaded) const {
  if (keep_alive_) return After::keep_alive;
  return uploaded && buffer.size() == 0 ? After::close : After::linger;
}

awaitable<error_code> Http1Client::send(Answer& answer) {
  const auto [error, _] = co_await http::async_write(stream, answer, kOutcome);
  co_return error;
}

awaitable<error_code> Http1Client::switch_protocols(ResponseParser& response) {
  auto& message = response.get();
  message.set(http::field::connection, "Upgrade");
  message.set(http::field::upgrade, "websocket");
  MessageWriter writer(message);
  co_return co_await writer.write_head(stream);
}

awaitable<RelayEnd> Http1Client::tunnel(BackendConnection& backend, std::chrono::milliseconds idle_limit,
                                        ListenerMetrics& metrics) {
  co_return co_await relay_bytes(stream, buffer, backend, idle_limit, metrics);
}

}  // namespace keystay::tlsd
