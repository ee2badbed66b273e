#include "tests/tlsd/http2_client.h"

#include <stdexcept>

#include <poll.h>

namespace keystay::test {
namespace {

constexpr std::size_t kFrameHeader = 9;
constexpr std::uint8_t kEnd = 0xff;
constexpr char kPreface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

std::uint32_t big_endian(std::string_view bytes) {
  std::uint32_t number = 0;
  for (const char byte : bytes) number = number << 8U | static_cast<unsigned char>(byte);
  return number;
}

std::string big_endian(std::uint32_t number, std::size_t size) {
  std::string bytes(size, '\0');
  for (std::size_t i = 0; i < size; ++i) bytes[size - 1 - i] = static_cast<char>(number >> 8U * i & 0xffU);
  return bytes;
}

// RFC 7541, section 5.1, with a prefix of 7 bits.
std::string hpack_text(std::string_view text) {
  std::string bytes;
  std::size_t size = text.size();
  if (size < 127) {
    bytes += static_cast<char>(size);
  } else {
    bytes += '\x7f';
    for (size -= 127; size >= 128; size /= 128) bytes += static_cast<char>(size % 128 + 128);
    bytes += static_cast<char>(size);
  }
  return bytes.append(text);
}

}  // namespace

std::uint32_t Frame2::number(std::size_t at) const {
  return big_endian(std::string_view(payload).substr(at, 4));
}

std::string number_bytes(std::uint32_t number) { return big_endian(number, 4); }

std::string frame_bytes(const Frame2& frame) {
  return big_endian(static_cast<std::uint32_t>(frame.payload.size()), 3) + static_cast<char>(frame.type) +
         static_cast<char>(frame.flags) + big_endian(static_cast<std::uint32_t>(frame.stream), 4) +
         frame.payload;
}

std::string section_bytes(const Fields2& fields) {
  std::string bytes;
  for (const auto& [name, value] : fields) bytes += '\0' + hpack_text(name) + hpack_text(value);
  return bytes;
}

std::string headers_bytes(std::int32_t stream, const Fields2& fields, std::uint8_t flags) {
  return frame_bytes({NGHTTP2_HEADERS, flags, stream, section_bytes(fields)});
}

std::string data_bytes(std::int32_t stream, std::string_view data, std::uint8_t flags) {
  return frame_bytes({NGHTTP2_DATA, flags, stream, std::string(data)});
}

Fields2 request_fields(const std::string& method, const std::string& path, Fields2 more) {
  Fields2 fields{{":method", method}, {":scheme", "https"}, {":authority", "localhost"}, {":path", path}};
  fields.insert(fields.end(), more.begin(), more.end());
  return fields;
}

Http2Client::Http2Client(std::uint16_t port, std::optional<std::uint32_t> window,
                         const std::string& server_name)
    : tls_(port, {.server_name = server_name, .protocols = "\x02h2"}) {
  if (!tls_.handshake()) throw std::runtime_error("no handshake: " + tls_.reason());
  nghttp2_hd_inflater* inflater = nullptr;
  if (nghttp2_hd_inflate_new(&inflater) != 0) throw std::bad_alloc();
  inflater_.reset(inflater);
  std::string settings;
  if (window) settings = big_endian(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 2) + number_bytes(*window);
  write(kPreface + frame_bytes({NGHTTP2_SETTINGS, 0, 0, settings}));
}

Frame2 Http2Client::next() {
  for (;;) {
    if (input_.size() >= kFrameHeader) {
      const std::size_t size = big_endian(std::string_view(input_).substr(0, 3));
      if (input_.size() >= kFrameHeader + size) {
        Frame2 frame{static_cast<std::uint8_t>(input_[3]), static_cast<std::uint8_t>(input_[4]),
                     static_cast<std::int32_t>(big_endian(std::string_view(input_).substr(5, 4))),
                     input_.substr(kFrameHeader, size)};
        input_.erase(0, kFrameHeader + size);
        note(frame);
        return frame;
      }
    }
    const std::string more = ended_ ? "" : tls_.read_some();
    if (more.empty()) {
      ended_ = true;
      return {kEnd};
    }
    input_ += more;
  }
}

bool Http2Client::is_ended() {
  pollfd state{tls_.socket().descriptor(), POLLIN, 0};
  while (!goaway_ && !ended_ && (SSL_pending(tls_.ssl()) > 0 || ::poll(&state, 1, 0) == 1))
    static_cast<void>(next());
  return goaway_ || ended_;
}

Frame2 Http2Client::next(std::uint8_t type) {
  for (;;) {
    Frame2 frame = next();
    if (frame.type == type || frame.type == kEnd) return frame;
  }
}

// Keeps what belongs to responses, and answers what asks for it.
void Http2Client::note(const Frame2& frame) {
  Response2& response = responses_[frame.stream];
  switch (frame.type) {
    case NGHTTP2_SETTINGS:
    case NGHTTP2_PING:
      if (!frame.has(NGHTTP2_FLAG_ACK))
        write(
            frame_bytes({frame.type, NGHTTP2_FLAG_ACK, 0, frame.type == NGHTTP2_PING ? frame.payload : ""}));
      return;
    case NGHTTP2_HEADERS: {
      auto fields = decode(frame.payload);
      if (!fields.contains(":status")) {
        response.trailer = std::move(fields);
      } else if (const unsigned status = static_cast<unsigned>(std::stoul(fields[":status"])); status < 200) {
        response.interim.push_back(status);
      } else {
        response.status = status;
        response.fields = std::move(fields);
      }
      break;
    }
    case NGHTTP2_DATA:
      response.body += frame.payload;
      break;
    case NGHTTP2_RST_STREAM:
      response.reset = frame.number();
      return;
    case NGHTTP2_GOAWAY:
      goaway_ = frame.number(4);
      return;
    default:
      return;
  }
  if (frame.has(NGHTTP2_FLAG_END_STREAM)) response.complete = true;
}

// What the server sends here is one frame without padding or priority.
std::map<std::string, std::string> Http2Client::decode(std::string_view section) {
  std::map<std::string, std::string> fields;
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(section.data());
  std::size_t size = section.size();
  for (;;) {
    nghttp2_nv field{};
    int flags = 0;
    const ssize_t used = nghttp2_hd_inflate_hd2(inflater_.get(), &field, &flags, bytes, size, 1);
    if (used < 0) throw std::runtime_error("a field section that cannot be decoded");
    bytes += used;
    size -= static_cast<std::size_t>(used);
    if ((flags & NGHTTP2_HD_INFLATE_EMIT) != 0) {
      const auto text = [](const std::uint8_t* at, std::size_t length) {
        return std::string(reinterpret_cast<const char*>(at), length);
      };
      fields[text(field.name, field.namelen)] = text(field.value, field.valuelen);
    }
    if ((flags & NGHTTP2_HD_INFLATE_FINAL) != 0) break;
  }
  nghttp2_hd_inflate_end_headers(inflater_.get());
  return fields;
}

Response2 Http2Client::response(std::int32_t stream) {
  for (;;) {
    const Response2& response = responses_[stream];
    if (response.complete || response.reset) break;
    const Frame2 frame = next();
    if (frame.type == kEnd) break;
    if (frame.type != NGHTTP2_DATA || frame.payload.empty()) continue;
    const std::string size = number_bytes(static_cast<std::uint32_t>(frame.payload.size()));
    write(frame_bytes({NGHTTP2_WINDOW_UPDATE, 0, 0, size}) +
          frame_bytes({NGHTTP2_WINDOW_UPDATE, 0, frame.stream, size}));
  }
  Response2 result = responses_[stream];
  result.goaway = goaway_;
  return result;
}

std::optional<std::uint32_t> Http2Client::goaway() {
  while (next().type != kEnd) {
  }
  return goaway_;
}

Response2 Http2Client::get(const std::string& path, Fields2 more) {
  const std::int32_t stream = next_stream();
  write(headers_bytes(stream, request_fields("GET", path, std::move(more))));
  return response(stream);
}

}  // namespace keystay::test
