#include "tlsd/http2/http2_frames.h"

#include <algorithm>
#include <array>
#include <new>
#include <stdexcept>
#include <utility>

#include "tlsd/http2/frame_budget.h"

namespace keystay::tlsd {
namespace {

struct CallbacksDelete {
  void operator()(nghttp2_session_callbacks* callbacks) const noexcept {
    nghttp2_session_callbacks_del(callbacks);
  }
};
struct OptionDelete {
  void operator()(nghttp2_option* option) const noexcept { nghttp2_option_del(option); }
};
using CallbacksHandle = std::unique_ptr<nghttp2_session_callbacks, CallbacksDelete>;
using OptionHandle = std::unique_ptr<nghttp2_option, OptionDelete>;

// Of a call that fails for want of memory, or is wrong.
void check(int result, const char* function) {
  if (result == NGHTTP2_ERR_NOMEM) throw std::bad_alloc();
  if (result < 0) throw std::logic_error(std::string(function) + ": " + nghttp2_strerror(result));
}

// Likewise about a stream, which the client may have closed.
void check_of_stream(int result) {
  if (result == NGHTTP2_ERR_NOMEM) throw std::bad_alloc();
}

std::string_view text(const std::uint8_t* bytes, std::size_t size) noexcept {
  return {reinterpret_cast<const char*>(bytes), size};
}

bool ends_stream(const nghttp2_frame& frame) noexcept {
  return (frame.hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
}

std::int64_t cost_of(const nghttp2_frame& frame) noexcept {
  switch (frame.hd.type) {
    case NGHTTP2_DATA:
      return frame.hd.length == frame.data.padlen && !ends_stream(frame) ? FrameBudget::kEmptyFrame : 0;
    case NGHTTP2_HEADERS:
      return 0;
    case NGHTTP2_SETTINGS:
      return FrameBudget::kSettings;
    case NGHTTP2_RST_STREAM:
      return FrameBudget::kGivenUp;
    default:
      return FrameBudget::kSmallFrame;
  }
}

}  // namespace

// What libnghttp2 calls. Each returns an error of libnghttp2 where its body throws.
struct Http2Frames::Callbacks {
  template <typename Body>
  static int guarded(void* self, Body body) noexcept {
    auto& frames = *static_cast<Http2Frames*>(self);
    try {
      return body(frames);
    } catch (...) {
      frames.failure_ = std::current_exception();
      return NGHTTP2_ERR_CALLBACK_FAILURE;
    }
  }

  static int on_begin_headers(nghttp2_session* session, const nghttp2_frame* frame, void* self) noexcept {
    return guarded(self, [&](Http2Frames& frames) -> int {
      frames.in_field_section_ = true;
      frames.malformed_.clear();
      if (frame->headers.cat != NGHTTP2_HCAT_REQUEST) return 0;
      FramedStream* const stream = frames.listener_.on_request(frame->hd.stream_id);
      check(nghttp2_session_set_stream_user_data(session, frame->hd.stream_id, stream),
            "nghttp2_session_set_stream_user_data");
      return 0;
    });
  }

  static int on_header(nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name,
                       std::size_t name_size, const std::uint8_t* value, std::size_t value_size, std::uint8_t,
                       void* self) noexcept {
    return guarded(self, [&](Http2Frames& frames) -> int {
      FramedStream* const stream = frames.stream(frame->hd.stream_id);
      if (stream == nullptr || stream->on_field(text(name, name_size), text(value, value_size))) return 0;
      frames.terminate(NGHTTP2_ENHANCE_YOUR_CALM, "a field section that is too large");
      return NGHTTP2_ERR_CALLBACK_FAILURE;
    });
  }

  // Left alone, libnghttp2 would leave out the field and serve the rest.
  static int on_invalid_header(nghttp2_session*, const nghttp2_frame*, const std::uint8_t* name,
                               std::size_t name_size, const std::uint8_t*, std::size_t, std::uint8_t,
                               void* self) noexcept {
    return guarded(self, [&](Http2Frames& frames) -> int {
      constexpr std::size_t kMostShown = 64;
      for (const char c : text(name, std::min(name_size, kMostShown)))
        frames.malformed_ += c > ' ' && c < 0x7f ? c : '?';
      frames.listener_.on_malformed("the field \"" + frames.malformed_ + "\" is not valid");
      return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    });
  }

  static int on_frame(nghttp2_session*, const nghttp2_frame* frame, void* self) noexcept {
    return guarded(self, [&](Http2Frames& frames) -> int {
      frames.accounted_ += static_cast<std::int64_t>(
          kFrameHeader + (frame->hd.type == NGHTTP2_DATA ? frame->data.padlen : frame->hd.length));
      const bool acknowledges = (frame->hd.flags & NGHTTP2_FLAG_ACK) != 0 &&
                                (frame->hd.type == NGHTTP2_PING || frame->hd.type == NGHTTP2_SETTINGS);
      if (const std::int64_t cost = cost_of(*frame); cost > 0 && !acknowledges)
        frames.listener_.on_cost(cost);
      if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA) return 0;
      const bool has_fields = frame->hd.type == NGHTTP2_HEADERS;
      if (has_fields) frames.in_field_section_ = false;
      FramedStream* const stream = frames.stream(frame->hd.stream_id);
      if (stream == nullptr) return 0;
      const bool is_head = has_fields && frame->headers.cat == NGHTTP2_HCAT_REQUEST;
      if (is_head) stream->on_head_end();
      if (ends_stream(*frame)) stream->on_request_end();
      if (is_head) frames.listener_.on_request_head(*stream);
      return 0;
    });
  }

  static int on_invalid_frame(nghttp2_session*, const nghttp2_frame* frame, int error, void* self) noexcept {
    return guarded(self, [&](Http2Frames& frames) -> int {
      if (frame->hd.type == NGHTTP2_HEADERS) frames.in_field_section_ = false;
      frames.listener_.on_cost(FrameBudget::kMalformed);
      if (frames.malformed_.empty() && frame->hd.stream_id != 0)
        frames.listener_.on_malformed(nghttp2_strerror(error));
      return 0;
    });
  }

  static int on_data(nghttp2_session*, std::uint8_t, std::int32_t id, const std::uint8_t* bytes,
                     std::size_t size, void* self) noexcept {
    return guarded(self, [&](Http2Frames& frames) -> int {
      frames.accounted_ += static_cast<std::int64_t>(size);
      if (FramedStream* const stream = frames.stream(id)) {
        stream->on_data(text(bytes, size));
      } else {
        frames.consume_connection(size);
      }
      return 0;
    });
  }

  static int on_close(nghttp2_session* session, std::int32_t id, std::uint32_t, void* self) noexcept {
    return guarded(self, [&](Http2Frames& frames) -> int {
      FramedStream* const stream = frames.stream(id);
      if (stream == nullptr) return 0;
      check_of_stream(nghttp2_session_set_stream_user_data(session, id, nullptr));
      stream->on_close();
      frames.listener_.on_closed(id);
      return 0;
    });
  }

  static int on_sent(nghttp2_session*, const nghttp2_frame* frame, void* self) noexcept {
    return guarded(self, [&](Http2Frames& frames) -> int {
      if (frame->hd.type == NGHTTP2_RST_STREAM && frame->rst_stream.error_code != NGHTTP2_NO_ERROR)
        frames.listener_.on_stream_error(frame->rst_stream.error_code);
      if (frame->hd.type == NGHTTP2_GOAWAY && frame->goaway.error_code != NGHTTP2_NO_ERROR)
        frames.listener_.on_connection_error(
            frame->goaway.error_code, frames.why_.empty()
                                          ? text(frame->goaway.opaque_data, frame->goaway.opaque_data_len)
                                          : std::string_view(frames.why_));
      return 0;
    });
  }

  // A body is not copied into a frame of libnghttp2's, and then again into what is sent.
  static ssize_t next_part(nghttp2_session*, std::int32_t, std::uint8_t*, std::size_t most,
                           std::uint32_t* flags, nghttp2_data_source* source, void* self) noexcept {
    FramedStream::Part part;
    const int result = guarded(self, [&](Http2Frames&) -> int {
      part = static_cast<FramedStream*>(source->ptr)->next_part(most);
      return part.empty() ? NGHTTP2_ERR_DEFERRED : 0;
    });
    if (result != 0) return result;
    *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
    if (part.end != FramedStream::Part::End::none) *flags |= NGHTTP2_DATA_FLAG_EOF;
    if (part.end == FramedStream::Part::End::data) *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
    return static_cast<ssize_t>(part.size);
  }

  static int take_part(nghttp2_session*, nghttp2_frame*, const std::uint8_t* header, std::size_t size,
                       nghttp2_data_source* source, void* self) noexcept {
    return guarded(self, [&](Http2Frames& frames) -> int {
      frames.output_->append(text(header, kFrameHeader));
      static_cast<FramedStream*>(source->ptr)->take_part(size, *frames.output_);
      frames.listener_.on_data_sent(size);
      return NGHTTP2_ERR_PAUSE;  // one frame at a time: fill() decides whether there is room for more
    });
  }

  [[nodiscard]] static CallbacksHandle make() {
    nghttp2_session_callbacks* callbacks = nullptr;
    check(nghttp2_session_callbacks_new(&callbacks), "nghttp2_session_callbacks_new");
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, &on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, &on_header);
    nghttp2_session_callbacks_set_on_invalid_header_callback(callbacks, &on_invalid_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, &on_frame);
    nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(callbacks, &on_invalid_frame);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, &on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, &on_close);
    nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, &on_sent);
    nghttp2_session_callbacks_set_send_data_callback(callbacks, &take_part);
    return CallbacksHandle(callbacks);
  }
};

namespace {

OptionHandle options() {
  nghttp2_option* option = nullptr;
  check(nghttp2_option_new(&option), "nghttp2_option_new");
  nghttp2_option_set_no_auto_window_update(option, 1);  // a window is returned when a backend has the bytes
  nghttp2_option_set_no_closed_streams(option, 1);      // no memory for what is over
  return OptionHandle(option);
}

}  // namespace

Http2Frames::Http2Frames(FrameListener& listener, const Limits& limits) : listener_(listener) {
  const CallbacksHandle callbacks = Callbacks::make();
  const OptionHandle option = options();
  nghttp2_session* session = nullptr;
  check(nghttp2_session_server_new2(&session, callbacks.get(), this, option.get()),
        "nghttp2_session_server_new2");
  session_.reset(session);
  submit_settings(limits);
}

// Without the priorities of RFC 7540 libnghttp2 keeps no tree of them (RFC 9218, section 2.1).
void Http2Frames::submit_settings(const Limits& limits) {
  const std::array<nghttp2_settings_entry, 5> settings{
      {{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, limits.streams},
       {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, limits.stream_window},
       {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, limits.header_list},
       {NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1},
       {NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL, 1}}};
  check(nghttp2_submit_settings(session_.get(), NGHTTP2_FLAG_NONE, settings.data(),
                                settings.size() - (limits.extended_connect ? 0 : 1)),
        "nghttp2_submit_settings");
  check(nghttp2_session_set_local_window_size(session_.get(), NGHTTP2_FLAG_NONE, 0,
                                              static_cast<std::int32_t>(limits.connection_window)),
        "nghttp2_session_set_local_window_size");
}

FramedStream* Http2Frames::stream(std::int32_t id) const noexcept {
  return static_cast<FramedStream*>(nghttp2_session_get_stream_user_data(session_.get(), id));
}

void Http2Frames::rethrow_failure() {
  if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
}

void Http2Frames::receive(std::span<const std::uint8_t> bytes) {
  const ssize_t taken = nghttp2_session_mem_recv(session_.get(), bytes.data(), bytes.size());
  rethrow_failure();
  if (taken == NGHTTP2_ERR_NOMEM) throw std::bad_alloc();
  if (taken >= 0) return;
  if (taken == NGHTTP2_ERR_BAD_CLIENT_MAGIC) return terminate(NGHTTP2_PROTOCOL_ERROR, "no preface of HTTP/2");
  // A limit of its own: frames that wait to be acknowledged, settings, or CONTINUATION frames.
  terminate(NGHTTP2_ENHANCE_YOUR_CALM, nghttp2_strerror(static_cast<int>(taken)));
}

void Http2Frames::fill(std::string& output, std::size_t size) {
  output_ = &output;
  while (output.size() < size) {
    const std::size_t before = output.size();
    const std::uint8_t* bytes = nullptr;
    const ssize_t count = nghttp2_session_mem_send(session_.get(), &bytes);
    rethrow_failure();
    if (count == NGHTTP2_ERR_NOMEM) throw std::bad_alloc();
    if (count < 0) throw std::logic_error(nghttp2_strerror(static_cast<int>(count)));
    output.append(text(bytes, static_cast<std::size_t>(count)));
    if (output.size() == before) break;
  }
  output_ = nullptr;
}

bool Http2Frames::wants_input() const noexcept { return nghttp2_session_want_read(session_.get()) != 0; }
bool Http2Frames::wants_output() const noexcept { return nghttp2_session_want_write(session_.get()) != 0; }

void Http2Frames::send_interim(std::int32_t stream, const FieldList& fields) {
  check_of_stream(nghttp2_submit_headers(session_.get(), NGHTTP2_FLAG_NONE, stream, nullptr, fields.data(),
                                         fields.size(), nullptr));
}

void Http2Frames::send_head(std::int32_t stream, const FieldList& fields, FramedStream& body) {
  nghttp2_data_provider provider{};
  provider.source.ptr = &body;
  provider.read_callback = &Callbacks::next_part;
  check_of_stream(nghttp2_submit_response(session_.get(), stream, fields.data(), fields.size(), &provider));
}

void Http2Frames::send_head_alone(std::int32_t stream, const FieldList& fields) {
  check_of_stream(nghttp2_submit_response(session_.get(), stream, fields.data(), fields.size(), nullptr));
}

void Http2Frames::send_trailer(std::int32_t stream, const FieldList& fields) {
  check_of_stream(nghttp2_submit_trailer(session_.get(), stream, fields.data(), fields.size()));
}

void Http2Frames::resume(std::int32_t stream) {
  check_of_stream(nghttp2_session_resume_data(session_.get(), stream));
}

void Http2Frames::consume(std::int32_t stream, std::size_t size) {
  if (size > 0) check_of_stream(nghttp2_session_consume(session_.get(), stream, size));
}

void Http2Frames::consume_connection(std::size_t size) {
  if (size > 0) check_of_stream(nghttp2_session_consume_connection(session_.get(), size));
}

void Http2Frames::reset(std::int32_t stream, std::uint32_t code) {
  check_of_stream(nghttp2_submit_rst_stream(session_.get(), NGHTTP2_FLAG_NONE, stream, code));
}

void Http2Frames::announce_end() {
  check(nghttp2_submit_shutdown_notice(session_.get()), "nghttp2_submit_shutdown_notice");
}

void Http2Frames::refuse_new_streams() {
  check_of_stream(nghttp2_submit_goaway(session_.get(), NGHTTP2_FLAG_NONE,
                                        nghttp2_session_get_last_proc_stream_id(session_.get()),
                                        NGHTTP2_NO_ERROR, nullptr, 0));
}

void Http2Frames::terminate(std::uint32_t code, std::string_view why) {
  if (why_.empty()) why_ = why;
  check_of_stream(nghttp2_session_terminate_session2(
      session_.get(), nghttp2_session_get_last_proc_stream_id(session_.get()), code));
}

}  // namespace keystay::tlsd
