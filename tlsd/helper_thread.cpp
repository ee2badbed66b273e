#include "tlsd/helper_thread.h"

#include <utility>

#include <boost/asio/post.hpp>

namespace keystay::tlsd {

HelperThread::HelperThread() : work_(context_.get_executor()), thread_([this] { context_.run(); }) {}

HelperThread::~HelperThread() {
  work_.reset();
  thread_.join();
}

void HelperThread::post(std::function<void()> task) {
  ++tasks_;
  asio::post(context_, [this, task = std::move(task)] {
    task();
    --tasks_;
  });
}

}  // namespace keystay::tlsd
