#include "tlsd/http/message_writer.h"

#include <boost/beast/core/buffers_to_string.hpp>

namespace keystay::tlsd {

MessageWriter::MessageWriter(const http::request<PassedBody>& message)
    : head_(beast::buffers_to_string(
          http::fields::writer(message.base(), message.version(), message.method()).get())),
      chunked_(message.chunked()) {}

MessageWriter::MessageWriter(const http::response<PassedBody>& message)
    : head_(beast::buffers_to_string(
          http::fields::writer(message.base(), message.version(), message.result_int()).get())),
      chunked_(message.chunked()) {}

void MessageWriter::add_trailer(const http::fields& trailer) {
  std::string lines;
  for (const auto& field : trailer)
    lines.append(field.name_string()).append(": ").append(field.value()).append("\r\n");
  last_chunk_ = "0\r\n" + lines + "\r\n";
}

MessageWriter::Frame MessageWriter::frame_of(std::string_view piece, Piece position) noexcept {
  const asio::const_buffer head = asio::buffer(head_);
  const asio::const_buffer body(piece.data(), piece.size());
  if (!chunked_) return {head, {}, body, {}, {}};
  const asio::const_buffer last = position == Piece::last ? asio::buffer(last_chunk_) : asio::const_buffer();
  if (piece.empty()) return {head, {}, {}, {}, last};
  constexpr std::string_view kEnd = "\r\n";
  char* end =
      std::to_chars(chunk_line_.data(), chunk_line_.data() + chunk_line_.size(), piece.size(), 16).ptr;
  *end++ = '\r';
  *end++ = '\n';
  return {head, asio::buffer(chunk_line_.data(), static_cast<std::size_t>(end - chunk_line_.data())), body,
          asio::buffer(kEnd), last};
}

}  // namespace keystay::tlsd
