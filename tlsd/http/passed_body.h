// A body type of Beast (beast::http, concept Body) that copies nothing: its value says where the bytes that
// the parser found last are, in the buffer that it parsed. They stay there until that buffer is read into
// again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include <boost/asio/buffer.hpp>
#include <boost/beast/core/error.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/optional/optional.hpp>

namespace keystay::tlsd {

struct PassedBody {
  using value_type = std::string_view;

  class reader final {
   public:
    template <bool is_request, typename Fields>
    reader(boost::beast::http::header<is_request, Fields>& /*head*/, value_type& body) : body_(body) {}

    void init(const boost::optional<std::uint64_t>& /*length*/, boost::beast::error_code& error) {
      error = {};
    }
    // The parser hands over one buffer, a part of what it was given.
    template <typename Buffers>
    std::size_t put(const Buffers& buffers, boost::beast::error_code& error) {
      const boost::asio::const_buffer found(*boost::asio::buffer_sequence_begin(buffers));
      body_ = {static_cast<const char*>(found.data()), found.size()};
      error = {};
      return found.size();
    }
    void finish(boost::beast::error_code& error) { error = {}; }

   private:
    value_type& body_;
  };
};

}  // namespace keystay::tlsd
