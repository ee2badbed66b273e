// Reads the head of an HTTP message (RFC 9112, section 2.1) as bytes, so that the framing gate sees it before
// Beast.
#pragma once

#include <algorithm>
#include <string_view>

#include "tlsd/execution.h"
#include "tlsd/http.h"

namespace keystay::tlsd {

struct HeadRead {
  enum class End { complete, too_large, bare_line_feed, failed };
  End end;
  std::size_t size = 0;  // with the empty line that ends the head
  error_code error;      // of the stream, if it failed
};

[[nodiscard]] inline std::string_view text(const beast::flat_buffer& buffer) noexcept {
  return {static_cast<const char*>(buffer.cdata().data()), buffer.size()};
}

// The size of the head at the front of `bytes`; 0 if it is not complete.
[[nodiscard]] inline std::size_t head_size(std::string_view bytes, std::size_t searched) noexcept {
  constexpr std::string_view kEnd = "\r\n\r\n";
  const auto end = bytes.find(kEnd, searched < kEnd.size() ? 0 : searched - kEnd.size() + 1);
  return end == std::string_view::npos ? 0 : end + kEnd.size();
}

// A line feed in text[searched:] that no carriage return precedes. RFC 9112, section 2.2, lets a recipient
// take it for the end of a line; others do not, and where two readers differ, requests are smuggled.
[[nodiscard]] inline bool has_bare_line_feed(std::string_view bytes, std::size_t searched) noexcept {
  for (auto at = bytes.find('\n', searched); at != std::string_view::npos; at = bytes.find('\n', at + 1)) {
    if (at == 0 || bytes[at - 1] != '\r') return true;
  }
  return false;
}

// Reads until the head is in the buffer; bytes that follow it stay there too.
template <typename Stream>
awaitable<HeadRead> read_head(Stream& stream, beast::flat_buffer& buffer, std::size_t most) {
  constexpr std::size_t kStep = 4096;
  std::size_t searched = 0;
  for (;;) {
    if (const std::size_t size = head_size(text(buffer), searched)) {
      co_return size <= most ? HeadRead{HeadRead::End::complete, size, {}}
                             : HeadRead{HeadRead::End::too_large, 0, {}};
    }
    // Decided at once: whoever ends lines like this waits for an answer already.
    if (has_bare_line_feed(text(buffer), searched)) co_return HeadRead{HeadRead::End::bare_line_feed, 0, {}};
    searched = buffer.size();
    if (searched >= most) co_return HeadRead{HeadRead::End::too_large, 0, {}};
    const auto [error, size] =
        co_await stream.async_read_some(buffer.prepare(std::min(kStep, most - searched)), kOutcome);
    if (error) co_return HeadRead{HeadRead::End::failed, 0, error};
    buffer.commit(size);
  }
}

}  // namespace keystay::tlsd
