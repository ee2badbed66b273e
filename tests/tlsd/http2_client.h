// A client of HTTP/2 (RFC 9113) that sends the frames that a test tells it, right or wrong.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nghttp2/nghttp2.h>

#include "tests/tlsd/tls_client.h"

namespace keystay::test {

using Fields2 = std::vector<std::pair<std::string, std::string>>;

struct Frame2 {
  std::uint8_t type = 0;
  std::uint8_t flags = 0;
  std::int32_t stream = 0;
  std::string payload = {};

  [[nodiscard]] bool has(std::uint8_t flag) const { return (flags & flag) != 0; }
  // The 32 bits at this place of the payload: an error code, a window, a last stream.
  [[nodiscard]] std::uint32_t number(std::size_t at = 0) const;
};

struct Response2 {
  unsigned status = 0;  // 0: none
  std::map<std::string, std::string> fields = {};
  std::vector<unsigned> interim = {};
  std::map<std::string, std::string> trailer = {};
  std::string body = {};
  bool complete = false;                     // END_STREAM came
  std::optional<std::uint32_t> reset = {};   // the code of RST_STREAM
  std::optional<std::uint32_t> goaway = {};  // the code of GOAWAY, if the connection ended before
};

// Bytes of frames.
[[nodiscard]] std::string frame_bytes(const Frame2& frame);
// A field section, each field a literal that changes no table (RFC 7541, section 6.2.2).
[[nodiscard]] std::string section_bytes(const Fields2& fields);

// Flags of HEADERS whose request has a body that follows.
inline constexpr std::uint8_t kOpen = NGHTTP2_FLAG_END_HEADERS;

[[nodiscard]] std::string headers_bytes(std::int32_t stream, const Fields2& fields,
                                        std::uint8_t flags = NGHTTP2_FLAG_END_STREAM |
                                                             NGHTTP2_FLAG_END_HEADERS);
[[nodiscard]] std::string data_bytes(std::int32_t stream, std::string_view data,
                                     std::uint8_t flags = NGHTTP2_FLAG_NONE);
[[nodiscard]] std::string number_bytes(std::uint32_t number);
// GET https://localhost/ with these fields besides.
[[nodiscard]] Fields2 request_fields(const std::string& method = "GET", const std::string& path = "/",
                                     Fields2 more = {});

class Http2Client final {
 public:
  // Shakes hands, and sends the preface and an empty SETTINGS; `window`: SETTINGS_INITIAL_WINDOW_SIZE;
  // `server_name`: SNI, none if empty.
  explicit Http2Client(std::uint16_t port, std::optional<std::uint32_t> window = {},
                       const std::string& server_name = {});

  [[nodiscard]] TlsClient& tls() noexcept { return tls_; }
  bool write(const std::string& bytes) { return tls_.write(bytes); }

  // The next frame; type 0xff at the end of the connection. SETTINGS and PING are acknowledged.
  [[nodiscard]] Frame2 next();
  // Whether GOAWAY or the end has come; does not wait.
  [[nodiscard]] bool is_ended();
  // The next of this type, whatever comes before it.
  [[nodiscard]] Frame2 next(std::uint8_t type);
  // Until the stream or the connection ends. Windows are opened again as data come.
  [[nodiscard]] Response2 response(std::int32_t stream);
  // The code of the GOAWAY that ends the connection; nothing if it ends without.
  [[nodiscard]] std::optional<std::uint32_t> goaway();

  // A request without body on the next stream, and its response.
  [[nodiscard]] Response2 get(const std::string& path = "/", Fields2 more = {});
  [[nodiscard]] std::int32_t next_stream() noexcept { return std::exchange(stream_, stream_ + 2); }

 private:
  struct Delete {
    void operator()(nghttp2_hd_inflater* inflater) const noexcept { nghttp2_hd_inflate_del(inflater); }
  };

  [[nodiscard]] std::map<std::string, std::string> decode(std::string_view section);
  void note(const Frame2& frame);

  TlsClient tls_;
  std::unique_ptr<nghttp2_hd_inflater, Delete> inflater_;
  std::string input_;
  std::int32_t stream_ = 1;
  std::map<std::int32_t, Response2> responses_;
  std::optional<std::uint32_t> goaway_;
  bool ended_ = false;
};

}  // namespace keystay::test
