// Limits on what a body's framing may bring besides the body (RFC 9112, section 7.1), and what the log says
// where a peer exceeds one.
#pragma once

#include <cstddef>
#include <type_traits>

#include <boost/system/error_code.hpp>

namespace keystay::tlsd {

inline constexpr std::size_t kMostChunkExtensions = 16 * 1024;  // bytes of one message, over all its chunks
inline constexpr std::size_t kMostTrailer =
    16 * 1024;  // names and values of the trailer section of a response
// What is read of a body and not yet parsed: the line of a chunk, or all of a trailer section, must fit.
inline constexpr std::size_t kMostUnparsed = 64 * 1024;

enum class BodyLimit { chunk_extensions = 1, chunk_line, trailer_section };

[[nodiscard]] const boost::system::error_category& body_limit_category() noexcept;

[[nodiscard]] inline boost::system::error_code make_error_code(BodyLimit limit) noexcept {
  return {static_cast<int>(limit), body_limit_category()};
}

}  // namespace keystay::tlsd

template <>
struct boost::system::is_error_code_enum<keystay::tlsd::BodyLimit> : std::true_type {};
