// Beast's parser of an HTTP message, with limits on what the body's framing may bring besides the body (RFC
// 9112, section 7.1): chunk extensions are dropped, as section 7.1.1 wants it, and so are trailer fields, as
// section 7.1.2 allows, unless they are asked for. Beast limits neither, and would add trailer fields to
// those of the head.
#pragma once

#include <cstddef>
#include <cstdint>

#include <boost/beast/core/string.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/fields.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/optional/optional.hpp>

#include "native/config/request_sizes.h"
#include "tlsd/http/body_limit.h"
#include "tlsd/http/framing_gate.h"
#include "tlsd/http/passed_body.h"

namespace keystay::tlsd {

// What exceeds its limit ends the parser with a BodyLimit.
template <bool is_request>
class MessageParser final : public boost::beast::http::parser<is_request, PassedBody> {
  using error_code = boost::beast::error_code;
  using string_view = boost::beast::string_view;

 public:
  // Those of a response are not to be chosen.
  void limit(const config::RequestSizes& sizes) {
    most_trailer_ = sizes.trailer;
    most_trailer_fields_ = sizes.fields;
    this->body_limit(sizes.body ? boost::optional<std::uint64_t>(*sizes.body) : boost::none);
  }
  // From now on, trailer fields are kept beside those of the head.
  void keep_trailer() noexcept { keep_trailer_ = true; }
  [[nodiscard]] boost::beast::http::fields& trailer() noexcept { return trailer_; }

 private:
  // Beast calls this for the fields of the head and for those of the trailer section.
  void on_field_impl(boost::beast::http::field field, string_view name, string_view value,
                     error_code& error) override {
    if (!this->is_header_done()) return this->get().insert(field, name, value);
    trailer_size_ += name.size() + value.size();
    if (++trailer_fields_ > most_trailer_fields_ || trailer_size_ > most_trailer_) {
      error = BodyLimit::trailer_section;
    } else if (keep_trailer_) {
      trailer_.insert(field, name, value);
    }
  }

  void on_chunk_header_impl(std::uint64_t, string_view extensions, error_code& error) override {
    extensions_size_ += extensions.size();
    if (extensions_size_ > kMostChunkExtensions) error = BodyLimit::chunk_extensions;
  }

  std::size_t most_trailer_ = kMostTrailer;
  std::size_t most_trailer_fields_ = kMostFields;
  std::size_t extensions_size_ = 0;
  std::size_t trailer_size_ = 0;
  std::size_t trailer_fields_ = 0;
  bool keep_trailer_ = false;
  boost::beast::http::fields trailer_;
};

}  // namespace keystay::tlsd
