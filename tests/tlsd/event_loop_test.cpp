// An event loop outlives every exception of its handlers.
#include "tlsd/event_loop.h"

#include <stdexcept>

#include <boost/asio/post.hpp>
#include <gtest/gtest.h>

namespace keystay::tlsd {
namespace {

TEST(EventLoop, GoesOnAfterAnExceptionOfAHandler) {
  asio::io_context context;
  prometheus::Counter exceptions;
  int served = 0;
  asio::post(context, [] { throw std::runtime_error("a parser did not expect this"); });
  asio::post(context, [&] { ++served; });
  asio::post(context, [] { throw 42; });  // of any type
  asio::post(context, [&] { ++served; });
  run_event_loop(context, "I/O thread", exceptions);
  EXPECT_EQ(served, 2);
  EXPECT_EQ(exceptions.Value(), 2);
}

TEST(EventLoop, EndsWhenItIsStopped) {
  asio::io_context context;
  prometheus::Counter exceptions;
  const auto work = asio::make_work_guard(context);
  asio::post(context, [&] {
    context.stop();
    throw std::runtime_error("while it stops");
  });
  run_event_loop(context, "control", exceptions);
  EXPECT_EQ(exceptions.Value(), 1);
}

TEST(EventLoop, SaysWhatAnExceptionSays) {
  EXPECT_EQ(description(std::make_exception_ptr(std::runtime_error("no memory"))), "no memory");
  EXPECT_EQ(description(std::make_exception_ptr(42)), "an exception of an unknown type");
}

}  // namespace
}  // namespace keystay::tlsd
