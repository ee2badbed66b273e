// The one kind of executor that tlsd has: an io_context that one thread runs. Naming its type, instead of
// erasing it as Asio's defaults do, spares a virtual call and often an allocation per operation.
#pragma once

#include <chrono>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/error_code.hpp>

namespace keystay::tlsd {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

using Executor = asio::io_context::executor_type;
using Clock = std::chrono::steady_clock;
using Timer = asio::basic_waitable_timer<Clock, asio::wait_traits<Clock>, Executor>;
// Of clients and of servers behind: TCP or UNIX.
using StreamProtocol = asio::generic::stream_protocol;
using Socket = asio::basic_stream_socket<StreamProtocol, Executor>;
using BackendSocket = Socket;
using Acceptor = asio::basic_socket_acceptor<StreamProtocol, Executor>;
template <typename Result>
using awaitable = asio::awaitable<Result, Executor>;

// `auto [error, …] = co_await operation(…, kOutcome)`: a connection that ends is no exception.
inline constexpr asio::as_tuple_t<asio::use_awaitable_t<Executor>> kOutcome{
    asio::use_awaitable_t<Executor>{}};

}  // namespace keystay::tlsd
