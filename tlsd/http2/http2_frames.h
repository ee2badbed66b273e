// The frames of one client's connection (RFC 9113): libnghttp2, behind an interface of C++. It reads bytes
// and tells what they mean, and makes the bytes to be sent. No exception crosses it: what its listeners throw
// comes out of receive() and fill().
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nghttp2/nghttp2.h>

namespace keystay::tlsd {

inline constexpr std::size_t kFrameHeader = 9;  // RFC 9113, section 4.1

using FieldList = std::vector<nghttp2_nv>;  // refers to its texts

[[nodiscard]] inline nghttp2_nv field_of(std::string_view name, std::string_view value) noexcept {
  // libnghttp2 copies both, and writes to neither.
  const auto bytes = [](std::string_view text) {
    return reinterpret_cast<std::uint8_t*>(const_cast<char*>(text.data()));
  };
  return {bytes(name), bytes(value), name.size(), value.size(), NGHTTP2_NV_FLAG_NONE};
}

// One stream, as its frames see it.
class FramedStream {
 public:
  FramedStream() = default;
  FramedStream(const FramedStream&) = delete;
  FramedStream& operator=(const FramedStream&) = delete;
  virtual ~FramedStream() = default;

  // A field of the head or, behind that, of the trailer section. False if no more are wanted.
  [[nodiscard]] virtual bool on_field(std::string_view name, std::string_view value) = 0;
  // The fields so far were the head.
  virtual void on_head_end() = 0;
  virtual void on_data(std::string_view bytes) = 0;
  virtual void on_request_end() = 0;
  virtual void on_close() noexcept = 0;

  // Of the body of the response, so much at most.
  struct Part {
    std::size_t size = 0;
    enum class End { none, stream, data } end = End::none;  // data: a trailer section follows
    [[nodiscard]] bool empty() const noexcept { return size == 0 && end == End::none; }
  };
  // Nothing if it has to be waited for.
  [[nodiscard]] virtual Part next_part(std::size_t most) = 0;
  // That part, once.
  virtual void take_part(std::size_t size, std::string& output) = 0;
};

// What a client does on its connection.
class FrameListener {
 public:
  FrameListener() = default;
  FrameListener(const FrameListener&) = delete;
  FrameListener& operator=(const FrameListener&) = delete;
  virtual ~FrameListener() = default;

  // The first fields of a request come. It is told of that stream until its on_close().
  [[nodiscard]] virtual FramedStream* on_request(std::int32_t stream) = 0;
  // All of them are there.
  virtual void on_request_head(FramedStream& stream) = 0;
  // Nothing more comes or goes on it: it is told so itself, and may be forgotten.
  virtual void on_closed(std::int32_t stream) = 0;
  // Of bodies of responses, on their way now.
  virtual void on_data_sent(std::size_t size) = 0;
  // A frame that moves nothing (see FrameBudget).
  virtual void on_cost(std::int64_t points) = 0;
  // The request breaks the rules of RFC 9113 and its stream is reset.
  virtual void on_malformed(std::string_view why) = 0;
  // What was sent: RST_STREAM with an error, and GOAWAY with one.
  virtual void on_stream_error(std::uint32_t code) = 0;
  virtual void on_connection_error(std::uint32_t code, std::string_view why) = 0;
};

class Http2Frames final {
 public:
  struct Limits {
    std::uint32_t streams;            // at the same time
    std::uint32_t stream_window;      // bytes of one request's body that are held
    std::uint32_t connection_window;  // of all of them
    std::uint32_t header_list;        // SETTINGS_MAX_HEADER_LIST_SIZE
    bool extended_connect;
  };

  Http2Frames(FrameListener& listener, const Limits& limits);
  Http2Frames(const Http2Frames&) = delete;
  Http2Frames& operator=(const Http2Frames&) = delete;

  // Tells the listener and the streams. Where the client breaks the protocol no further input is wanted, and
  // what is to be sent says why.
  void receive(std::span<const std::uint8_t> bytes);
  // Bytes of the frames that were told of since the last call; a client that sends others wastes our time.
  [[nodiscard]] std::int64_t accounted() noexcept { return std::exchange(accounted_, 0); }
  // Adds to `output` what is to be sent, until that has about `size` bytes.
  void fill(std::string& output, std::size_t size);

  [[nodiscard]] bool wants_input() const noexcept;
  [[nodiscard]] bool wants_output() const noexcept;
  // A field section has begun and is not complete.
  [[nodiscard]] bool in_field_section() const noexcept { return in_field_section_; }

  // Of a stream that may be closed already: then these do nothing.
  void send_interim(std::int32_t stream, const FieldList& fields);
  void send_head(std::int32_t stream, const FieldList& fields, FramedStream& body);
  void send_head_alone(std::int32_t stream, const FieldList& fields);  // no body follows
  void send_trailer(std::int32_t stream, const FieldList& fields);
  void resume(std::int32_t stream);
  // Returns this much of both windows, or of the connection's alone where the stream is gone.
  void consume(std::int32_t stream, std::size_t size);
  void consume_connection(std::size_t size);
  void reset(std::int32_t stream, std::uint32_t code);

  // GOAWAY in two phases (RFC 9113, section 6.8).
  void announce_end();
  void refuse_new_streams();
  // GOAWAY, and nothing after it.
  void terminate(std::uint32_t code, std::string_view why);

 private:
  struct Callbacks;
  struct Delete {
    void operator()(nghttp2_session* session) const noexcept { nghttp2_session_del(session); }
  };

  void submit_settings(const Limits& limits);
  [[nodiscard]] FramedStream* stream(std::int32_t id) const noexcept;
  void rethrow_failure();

  FrameListener& listener_;
  std::exception_ptr failure_;  // thrown by a listener
  bool in_field_section_ = false;
  std::int64_t accounted_ = 0;
  std::string malformed_;  // name of the field that made the request malformed
  std::string why_;        // of terminate(); libnghttp2 gives its own reasons
  std::string* output_ = nullptr;
  std::unique_ptr<nghttp2_session, Delete> session_;
};

}  // namespace keystay::tlsd
