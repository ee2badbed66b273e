// Writes buffers to a stream, as asio::async_write does, and tells on the way how much of them was taken.
#pragma once

#include <array>
#include <cstddef>

#include <boost/asio/buffer.hpp>

#include "tlsd/execution.h"

namespace keystay::tlsd {

// Drops bytes from the front of `buffers`.
template <std::size_t count>
void drop_front(std::array<asio::const_buffer, count>& buffers, std::size_t size) noexcept {
  for (asio::const_buffer& buffer : buffers) {
    const std::size_t part = size < buffer.size() ? size : buffer.size();
    buffer += part;
    size -= part;
  }
}

// `on_taken` is called with a number of bytes whenever the stream has taken some.
template <typename Output, std::size_t count, typename OnTaken>
awaitable<error_code> write_all(Output& output, std::array<asio::const_buffer, count> buffers,
                                OnTaken on_taken) {
  while (asio::buffer_size(buffers) > 0) {
    const auto [error, size] = co_await output.async_write_some(buffers, kOutcome);
    if (error) co_return error;
    drop_front(buffers, size);
    on_taken(size);
  }
  co_return error_code();
}

}  // namespace keystay::tlsd
