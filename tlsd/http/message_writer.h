// Writes an HTTP/1.1 message (RFC 9112) whose body comes in pieces, chunked if its head says so
// (section 7.1). Beast's serializer would do, but that it allocates for the header of each chunk in functions
// that are noexcept: without memory the process would end, and not the connection.
#pragma once

#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/message.hpp>

#include "tlsd/execution.h"
#include "tlsd/http/http.h"
#include "tlsd/write_all.h"

namespace keystay::tlsd {

// Whether more of a body follows a piece.
enum class Piece { more, last };

class MessageWriter final {
 public:
  static constexpr std::size_t kMostPiece = kLargestPiece;

  // Takes the head as it is now.
  explicit MessageWriter(const http::request<PassedBody>& message);
  explicit MessageWriter(const http::response<PassedBody>& message);

  // Goes out behind the last chunk; a message that is not chunked has no place for it (section 7.1.2). Before
  // the last piece.
  void add_trailer(const http::fields& trailer);

  // The peer has the head, or a part of it.
  [[nodiscard]] bool head_begun() const noexcept { return head_begun_; }
  // Of the pieces that were written, without their framing.
  [[nodiscard]] std::uint64_t body_bytes() const noexcept { return body_bytes_; }

  template <typename Output>
  [[nodiscard]] awaitable<error_code> write_head(Output& output) {
    head_begun_ = true;
    const error_code error =
        co_await write_all(output, std::array{asio::const_buffer(asio::buffer(head_))}, [](std::size_t) {});
    head_.clear();
    co_return error;
  }

  // The head goes out with the first piece, if it was not written before. A piece that is not the last one
  // has at least a byte. `on_taken` is called with a number of bytes whenever the peer has taken some.
  template <typename Output, typename OnTaken>
  [[nodiscard]] awaitable<error_code> write_piece(Output& output, std::string_view piece, Piece position,
                                                  OnTaken on_taken) {
    const Frame frame = frame_of(piece, position);
    head_begun_ = true;
    const error_code error = co_await write_all(output, frame, on_taken);
    head_.clear();
    if (!error) body_bytes_ += piece.size();
    co_return error;
  }

 private:
  // Head, line of the chunk, piece, what ends them, and the last chunk with the trailer section; each may be
  // empty.
  using Frame = std::array<asio::const_buffer, 5>;

  [[nodiscard]] Frame frame_of(std::string_view piece, Piece position) noexcept;

  std::string head_;  // empty once it is written
  std::string last_chunk_{"0\r\n\r\n"};
  bool chunked_;
  bool head_begun_ = false;
  std::uint64_t body_bytes_ = 0;
  std::array<char, 2 * sizeof(std::size_t) + 2> chunk_line_{};
};

}  // namespace keystay::tlsd
