#include "tlsd/http2/http2_stream.h"

#include <algorithm>
#include <utility>

#include "tlsd/http/fields.h"
#include "tlsd/http2/response_fields.h"

namespace keystay::tlsd {

Http2Stream::Http2Stream(std::int32_t id, Http2Output output, Executor executor, const TlsClient& client)
    : HttpClient(client.stream, client.endpoint, client.log),
      id_(id),
      output_(output),
      sizes_(client.listener.settings.request_sizes),
      head_(sizes_),
      request_event_(executor),
      response_event_(executor) {}

std::optional<Refusal> Http2Stream::parse(RequestParser& request) {
  method_ = head_.method();
  // Some clients send the end of a request without body in a frame of its own.
  const bool has_body = !request_ended_ || !received_.empty();
  auto refusal = head_.parse(request, has_body ? RequestBody::expected : RequestBody::none);
  head_ = RequestHead(sizes_);
  return refusal;
}

bool Http2Stream::on_field(std::string_view name, std::string_view value) {
  request_bytes_ += name.size() + value.size();
  if (!head_complete_) return head_.add(name, value);
  trailer_size_ += name.size() + value.size() + kFieldOverhead;
  // Nobody has to keep trailer fields (RFC 9110, section 6.5.1).
  if (trailer_size_ <= sizes_.trailer && !name.starts_with(':')) request_trailer_.insert(name, value);
  return trailer_size_ <= kMostDecodedFields;
}

void Http2Stream::on_data(std::string_view bytes) {
  request_bytes_ += bytes.size();
  if (finished_) return output_.frames.consume(id_, bytes.size());
  received_.append(bytes);
  request_event_.notify();
}

void Http2Stream::on_request_end() {
  request_ended_ = true;
  request_event_.notify();
}

void Http2Stream::on_close() noexcept {
  closed_ = true;
  if (exchange_ != nullptr && !response_complete_) exchange_->interrupt();
  request_event_.notify();
  response_event_.notify();
}

void Http2Stream::abandon() noexcept { on_close(); }

void Http2Stream::interrupt() noexcept {
  interrupted_ = true;
  request_event_.notify();
  response_event_.notify();
}

error_code Http2Stream::reason_of_end() const noexcept {
  return closed_ ? asio::error::connection_reset : asio::error::operation_aborted;
}

void Http2Stream::finish() {
  finished_ = true;
  piece_ = {};
  output_.frames.consume(id_, std::exchange(received_, {}).size());
  if (closed_) return;
  if (!response_complete_) {
    output_.frames.reset(id_, reset_code_);
  } else if (!request_ended_) {
    output_.frames.reset(id_, NGHTTP2_NO_ERROR);  // RFC 9113, section 8.1
  }
  output_.wake.notify();
}

FramedStream::Part Http2Stream::next_part(std::size_t most) {
  const bool nothing = finished_ || taken_ || (piece_.empty() && position_ == Piece::more);
  if (nothing) return {};
  const std::size_t size = std::min(most, piece_.size());
  if (size < piece_.size() || position_ == Piece::more) return {size, Part::End::none};
  if (response_trailer_.begin() == response_trailer_.end()) return {size, Part::End::stream};
  output_.frames.send_trailer(id_, trailer_fields(response_trailer_));
  if (size == 0) take_all();  // libnghttp2 sends no frame for it
  return {size, Part::End::data};
}

void Http2Stream::take_part(std::size_t size, std::string& output) {
  output.append(piece_.substr(0, size));
  body_bytes_ += size;
  piece_.remove_prefix(size);
  if (piece_.empty()) take_all();
}

void Http2Stream::take_all() {
  taken_ = true;
  if (position_ == Piece::last) response_complete_ = true;
  response_event_.notify();
}

// A piece is all that has come; its window is returned when the backend has it.
awaitable<RelayResult> Http2Stream::pass_body(RequestParser&, BackendConnection& backend,
                                              MessageWriter& writer, const OnRelayWait& on_wait) {
  std::string piece;
  for (;;) {
    on_wait(RelayWait::input);
    if (const error_code error = co_await receive(piece))
      co_return RelayResult{RelayResult::End::input_failed, error};
    if (sizes_.body && writer.body_bytes() + piece.size() > *sizes_.body) {
      consume(piece);
      co_return RelayResult{RelayResult::End::input_failed, http::error::body_limit};
    }
    const Piece position = request_ended_ && received_.empty() ? Piece::last : Piece::more;
    if (position == Piece::last) {
      prepare_trailer(request_trailer_);
      writer.add_trailer(request_trailer_);
    }
    on_wait(RelayWait::output);
    const error_code error =
        co_await writer.write_piece(backend.socket, piece, position, WriteProgress(on_wait));
    consume(piece);
    if (error) co_return RelayResult{RelayResult::End::output_failed, error};
    if (position == Piece::last) co_return RelayResult{RelayResult::End::complete, {}};
  }
}

awaitable<error_code> Http2Stream::receive(std::string& piece) {
  while (received_.empty() && !request_ended_ && !ended()) {
    request_event_.reset();
    co_await request_event_.wait();
  }
  if (ended()) co_return reason_of_end();
  piece.swap(received_);
  co_return error_code();
}

// The window of a piece that was passed on.
void Http2Stream::consume(std::string& piece) {
  output_.frames.consume(id_, piece.size());
  output_.wake.notify();
  piece.clear();
}

awaitable<void> Http2Stream::pass_interim(ResponseParser& response) {
  if (ended()) co_return;
  const ResponseFields fields(response.get().result_int(), response.get());
  output_.frames.send_interim(id_, fields.list());
  output_.wake.notify();
}

// The end of the stream is that of the response, whatever the backend's framing was.
void Http2Stream::frame(ResponseParser& response, const RequestParser&, bool) {
  auto& message = response.get();
  message.erase(http::field::transfer_encoding);
  if (message.result() == http::status::no_content) message.erase(http::field::content_length);
  response.keep_trailer();
}

error_code Http2Stream::write_head(unsigned status, const http::fields& fields, Piece body) {
  if (ended()) return reason_of_end();
  const ResponseFields list(status, fields);
  response_begun_ = true;
  if (body == Piece::last) {
    output_.frames.send_head_alone(id_, list.list());
    response_complete_ = true;
  } else {
    output_.frames.send_head(id_, list.list(), *this);
  }
  output_.wake.notify();
  return {};
}

awaitable<error_code> Http2Stream::write_piece(std::string_view piece, Piece position) {
  if (response_complete_) co_return error_code();
  if (ended()) co_return reason_of_end();
  piece_ = piece;
  position_ = position;
  taken_ = false;
  output_.frames.resume(id_);
  output_.wake.notify();
  while (!taken_ && !ended()) {
    response_event_.reset();
    co_await response_event_.wait();
  }
  piece_ = {};
  position_ = Piece::more;
  co_return taken_ ? error_code() : reason_of_end();
}

namespace {

// What relay_body() writes a response with. The head goes out with the first piece.
class ResponseWriter final {
 public:
  static constexpr std::size_t kMostPiece = kPiece - kFrameHeader;  // with its header, one record of TLS

  ResponseWriter(Http2Stream& stream, ResponseParser& response) : stream_(stream), response_(response) {}

  // Nothing is told of a part that was taken: the whole is not more than kPiece.
  template <typename OnTaken>
  [[nodiscard]] awaitable<error_code> write_piece(Http2Stream&, std::string_view piece, Piece position,
                                                  const OnTaken& /*on_taken*/) {
    if (position == Piece::last) {
      prepare_trailer(response_.trailer());
      has_trailer_ = response_.trailer().begin() != response_.trailer().end();
      if (has_trailer_) stream_.add_trailer(std::move(response_.trailer()));
    }
    if (!stream_.response_begun()) {
      const bool alone = piece.empty() && position == Piece::last && !has_trailer_;
      if (const error_code error = write_head(alone ? Piece::last : Piece::more)) co_return error;
    }
    co_return co_await stream_.write_piece(piece, position);
  }

  [[nodiscard]] error_code write_head(Piece body) {
    return stream_.write_head(response_.get().result_int(), response_.get(), body);
  }

 private:
  Http2Stream& stream_;
  ResponseParser& response_;
  bool has_trailer_ = false;
};

}  // namespace

awaitable<RelayResult> Http2Stream::pass_response(ResponseParser& response, BackendConnection& backend,
                                                  const OnRelayWait& on_wait) {
  ResponseWriter writer(*this, response);
  // The client need not wait for the first piece to see the head.
  if (!response.is_done() && backend.buffer.size() == 0) {
    if (const error_code error = writer.write_head(Piece::more))
      co_return RelayResult{RelayResult::End::output_failed, error};
  }
  co_return co_await relay_body(backend.socket, backend.buffer, response, *this, writer, std::ref(on_wait));
}

awaitable<error_code> Http2Stream::send(Answer& answer) {
  const bool alone = answer.body().empty();
  if (const error_code error = write_head(answer.result_int(), answer, alone ? Piece::last : Piece::more))
    co_return error;
  co_return co_await write_piece(answer.body(), Piece::last);
}

}  // namespace keystay::tlsd
