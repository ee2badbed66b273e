#include "tlsd/blocking_thread.h"

#include <utility>

#include <boost/asio/post.hpp>

namespace keystay::tlsd {

BlockingThread::BlockingThread() : work_(context_.get_executor()), thread_([this] { context_.run(); }) {}

BlockingThread::~BlockingThread() {
  work_.reset();
  thread_.join();
}

void BlockingThread::post(std::function<void()> task) {
  ++tasks_;
  asio::post(context_, [this, task = std::move(task)] {
    task();
    --tasks_;
  });
}

}  // namespace keystay::tlsd
