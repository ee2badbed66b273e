// Passes the body of an HTTP message from one connection to another, piece by piece, as it comes: never more
// than kMostUnparsed bytes are held, and a piece is passed on as soon as it is there, from where it was read.
#pragma once

#include <algorithm>

#include <boost/beast/http/error.hpp>

#include "tlsd/execution.h"
#include "tlsd/http/http.h"
#include "tlsd/http/message_writer.h"
#include "tlsd/http/read_head.h"

namespace keystay::tlsd {

struct RelayResult {
  enum class End { complete, input_failed, output_failed };
  End end;
  error_code error;
};

// What is not yet parsed of a chunked body begins with the line of a chunk, and will never be right: a line
// feed without carriage return or the other way round, or a quoted string that does not end with its line.
// Beast waits for more.
[[nodiscard]] inline bool is_malformed(std::string_view unparsed) noexcept {
  if (has_bare_line_end(unparsed, 0)) return true;
  if (unparsed.starts_with("\r\n")) unparsed.remove_prefix(2);  // the end of the chunk before
  const auto line_end = unparsed.find("\r\n");
  if (line_end == std::string_view::npos) return false;
  bool quoted = false;
  for (std::size_t i = 0; i < line_end; ++i) {
    if (unparsed[i] == '"') quoted = !quoted;
    if (quoted && unparsed[i] == '\\') ++i;
  }
  return quoted;
}

// Of a chunked body of which so much is not yet parsed: only the line of the last chunk is read with more
// behind it.
[[nodiscard]] inline BodyLimit limit_exceeded(std::string_view unparsed) noexcept {
  const std::size_t end_of_chunk_before = unparsed.starts_with("\r\n") ? 2 : 0;
  return unparsed.find("\r\n", end_of_chunk_before) == std::string_view::npos ? BodyLimit::chunk_line
                                                                              : BodyLimit::trailer_section;
}

// "0", with the ends of its line and of the message. Boost 1.81 asserts that as much is there when it looks
// at the last chunk for the second time, and a program that is built with assertions would end.
inline constexpr std::size_t kLastChunkSize = 5;

// How much to read at once. A body that is there as fast as it is passed on takes fewer turns of the loop,
// fewer calls of the system and fewer wake-ups of its reader in larger pieces; others need no more memory for
// it.
class ReadSize final {
 public:
  explicit ReadSize(std::size_t first) noexcept : next_(first) {}

  [[nodiscard]] std::size_t next() const noexcept { return next_; }
  void update(std::size_t read) noexcept {
    if (read >= next_ && 2 * next_ <= kLargestPiece) next_ *= 2;
  }

 private:
  std::size_t next_;
};

// Like Beast's http::async_read_some, except that it parses in the coroutine, so that an exception of the
// parser is one of the connection, and that it stops at kMostUnparsed bytes, with a BodyLimit.
template <typename Input, typename Parser>
awaitable<error_code> parse_some(Input& input, beast::flat_buffer& buffer, Parser& parser,
                                 ReadSize& read_size) {
  std::size_t wanted = 1;
  for (;;) {
    error_code error;
    if (buffer.size() >= wanted) {
      buffer.consume(parser.put(buffer.data(), error));
      if (error != http::error::need_more) co_return error;
      if (is_malformed(text(buffer))) co_return http::error::bad_chunk;
      wanted = text(buffer).starts_with('0') ? kLastChunkSize : 1;
    }
    if (buffer.size() >= kMostUnparsed) co_return limit_exceeded(text(buffer));
    const std::size_t room = std::min(read_size.next(), kMostUnparsed - buffer.size());
    const auto [read_error, size] = co_await input.async_read_some(buffer.prepare(room), kOutcome);
    if (read_error == asio::error::eof) {
      parser.put_eof(error);
      co_return error;
    }
    if (read_error) co_return read_error;
    buffer.commit(size);
    read_size.update(size);
  }
}

// What a relay waits for next: a piece from the input, or the output to take one.
enum class RelayWait { input, output };

// Which side a relay waits for now, and how long it has waited for each so far.
class RelayWaits final {
 public:
  explicit RelayWaits(RelayWait first) noexcept : current_(first) {}

  void begin(RelayWait wait) noexcept {
    const auto now = Clock::now();
    (current_ == RelayWait::input ? input_ : output_) += now - since_;
    since_ = now;
    current_ = wait;
  }

  [[nodiscard]] RelayWait current() const noexcept { return current_; }
  // Up to begin().
  [[nodiscard]] Clock::duration waited_for(RelayWait wait) const noexcept {
    return wait == RelayWait::input ? input_ : output_;
  }
  [[nodiscard]] RelayWait longest() const noexcept {
    return output_ > input_ ? RelayWait::output : RelayWait::input;
  }

 private:
  RelayWait current_;
  Clock::time_point since_ = Clock::now();
  Clock::duration input_{};
  Clock::duration output_{};
};

// Tells a RelayWait::output whenever kPiece bytes of a write were taken.
template <typename OnWait>
class WriteProgress final {
 public:
  explicit WriteProgress(OnWait& on_wait) noexcept : on_wait_(on_wait) {}

  void operator()(std::size_t size) {
    if ((taken_ += size) < kPiece) return;
    taken_ = 0;
    on_wait_(RelayWait::output);
  }

 private:
  OnWait& on_wait_;
  std::size_t taken_ = 0;
};

// The head was parsed by `parser`; `writer` writes that message, its head written or not. `on_wait` is called
// with a RelayWait before each read and each write, and again whenever kPiece bytes of a write were taken.
template <typename Input, typename Parser, typename Output, typename Writer, typename OnWait>
awaitable<RelayResult> relay_body(Input& input, beast::flat_buffer& buffer, Parser& parser, Output& output,
                                  Writer& writer, OnWait on_wait) {
  std::string_view& found = parser.get().body();
  ReadSize read_size(std::min(kPiece, Writer::kMostPiece));
  for (;;) {
    found = {};
    if (!parser.is_done()) {
      on_wait(RelayWait::input);
      const error_code error = co_await parse_some(input, buffer, parser, read_size);
      if (error) co_return RelayResult{RelayResult::End::input_failed, error};
      if (found.empty() && !parser.is_done()) continue;  // only the frame of a chunk came
    }
    const bool done = parser.is_done();
    std::string_view rest = found;
    do {
      const std::string_view piece = rest.substr(0, Writer::kMostPiece);
      rest.remove_prefix(piece.size());
      const Piece position = done && rest.empty() ? Piece::last : Piece::more;
      on_wait(RelayWait::output);
      const error_code error = co_await writer.write_piece(output, piece, position, WriteProgress(on_wait));
      if (error) co_return RelayResult{RelayResult::End::output_failed, error};
    } while (!rest.empty());
    if (done) co_return RelayResult{RelayResult::End::complete, {}};
  }
}

}  // namespace keystay::tlsd
