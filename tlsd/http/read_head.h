// Reads the head of an HTTP message (RFC 9112, section 2.1) as bytes, so that the framing gate sees it before
// Beast.
#pragma once

#include <algorithm>
#include <span>
#include <string_view>

#include "tlsd/execution.h"
#include "tlsd/http/http.h"

namespace keystay::tlsd {

struct HeadRead {
  // bad_first_line: the request line or status line, and nothing after it matters; that it is longer than
  // allowed shows before it ends.
  enum class End { complete, too_large, line_too_large, bare_line_end, bad_first_line, failed };
  End end;
  std::size_t size = 0;  // with the empty line that ends the head; of the first line without its end
  error_code error;      // of the stream, if it failed
};

[[nodiscard]] inline std::string_view text(const beast::flat_buffer& buffer) noexcept {
  return {static_cast<const char*>(buffer.cdata().data()), buffer.size()};
}

// The same, to be changed.
[[nodiscard]] inline std::span<char> characters(beast::flat_buffer& buffer) noexcept {
  return {static_cast<char*>(buffer.data().data()), buffer.size()};
}

// The size of the head at the front of `bytes`; 0 if it is not complete.
[[nodiscard]] inline std::size_t head_size(std::string_view bytes, std::size_t searched) noexcept {
  constexpr std::string_view kEnd = "\r\n\r\n";
  const auto end = bytes.find(kEnd, searched < kEnd.size() ? 0 : searched - kEnd.size() + 1);
  return end == std::string_view::npos ? 0 : end + kEnd.size();
}

// A line feed in bytes[searched:] that no carriage return precedes, or a carriage return before other than a
// line feed. RFC 9112, section 2.2, lets a recipient take the first for the end of a line; others do not, and
// where two readers differ, requests are smuggled. The second is never valid.
[[nodiscard]] inline bool has_bare_line_end(std::string_view bytes, std::size_t searched) noexcept {
  for (auto at = bytes.find('\n', searched); at != std::string_view::npos; at = bytes.find('\n', at + 1)) {
    if (at == 0 || bytes[at - 1] != '\r') return true;
  }
  const auto from = searched == 0 ? 0 : searched - 1;  // a carriage return that was the last byte
  for (auto at = bytes.find('\r', from); at != std::string_view::npos; at = bytes.find('\r', at + 1)) {
    if (at + 1 < bytes.size() && bytes[at + 1] != '\n') return true;
  }
  return false;
}

// How much may come, in bytes.
struct HeadLimits {
  std::size_t head;
  std::size_t first_line;
};

// Reads until the head is in the buffer; bytes that follow it stay there too. What can never become a head
// ends it at once, since its sender may wait for an answer already: `is_bad_first_line` is asked about the
// first line, if that comes before the rest of the head.
template <typename Stream, typename IsBadFirstLine>
awaitable<HeadRead> read_head(Stream& stream, beast::flat_buffer& buffer, HeadLimits most,
                              IsBadFirstLine is_bad_first_line) {
  constexpr std::size_t kStep = 4096;
  std::size_t searched = 0;
  bool has_first_line = false;
  for (;;) {
    const std::string_view bytes = text(buffer);
    if (const std::size_t size = head_size(bytes, searched)) {
      co_return size <= most.head ? HeadRead{HeadRead::End::complete, size, {}}
                                  : HeadRead{HeadRead::End::too_large, 0, {}};
    }
    if (has_bare_line_end(bytes, searched)) co_return HeadRead{HeadRead::End::bare_line_end, 0, {}};
    if (const auto end = has_first_line ? std::string_view::npos : bytes.find("\r\n");
        end != std::string_view::npos) {
      has_first_line = true;
      if (is_bad_first_line(bytes.substr(0, end))) co_return HeadRead{HeadRead::End::bad_first_line, end, {}};
    }
    searched = bytes.size();
    if (searched >= most.head) co_return HeadRead{HeadRead::End::too_large, 0, {}};
    if (!has_first_line && searched > most.first_line + 1)
      co_return HeadRead{HeadRead::End::line_too_large, 0, {}};
    const auto [error, size] =
        co_await stream.async_read_some(buffer.prepare(std::min(kStep, most.head - searched)), kOutcome);
    if (error) co_return HeadRead{HeadRead::End::failed, 0, error};
    buffer.commit(size);
  }
}

}  // namespace keystay::tlsd
