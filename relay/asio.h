// Asio as keystay-relay uses it: one thread, awaitable coroutines, errors as values.
#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace keystay::relay {

namespace asio = boost::asio;
using asio::awaitable;
using asio::ip::tcp;
using boost::system::error_code;

using Tls = asio::ssl::stream<tcp::socket>;
using Local = asio::local::stream_protocol::socket;

inline constexpr asio::as_tuple_t<asio::use_awaitable_t<>> kOutcome{asio::use_awaitable};

}  // namespace keystay::relay
