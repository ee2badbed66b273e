// Calls that are left, and calls that nobody waits for.
#include "native/ha/call_threads.h"

#include <atomic>
#include <semaphore>
#include <thread>

#include <gtest/gtest.h>

namespace keystay::ha {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

// Begins, and ends when it may.
class HeldCall final : public Call {
 public:
  void run() noexcept override {
    begun.release();
    may_end.acquire();
    ended.release();
  }

  std::binary_semaphore begun{0};
  std::binary_semaphore may_end{0};
  std::binary_semaphore ended{0};
};

TEST(CallThreads, ReturnsWhenTheCallDoes) {
  CallThreads threads(1);
  const auto call = std::make_shared<HeldCall>();
  call->may_end.release();
  EXPECT_EQ(threads.run(call, Clock::now() + 20s), CallEnd::returned);
}

TEST(CallThreads, LeavesACallAtTheDeadlineAndMakesNoneBesideIt) {
  CallThreads threads(1);
  const auto hung = std::make_shared<HeldCall>();
  EXPECT_EQ(threads.run(hung, Clock::now() + 50ms), CallEnd::left);
  EXPECT_EQ(threads.left(), 1U);
  const auto next = std::make_shared<HeldCall>();
  EXPECT_EQ(threads.run(next, Clock::now() + 20s), CallEnd::not_begun) << "at once";
  hung->may_end.release();
  hung->ended.acquire();
  next->may_end.release();
  while (threads.left() != 0) std::this_thread::yield();
  EXPECT_EQ(threads.run(next, Clock::now() + 20s), CallEnd::returned) << "the thread is back";
}

// A probe that waits behind calls which are given up would be lost for good otherwise, and its member with
// it.
TEST(CallThreads, WhatNobodyWaitsForIsMadeThoughAllOthersAreLeft) {
  CallThreads threads(1);
  const auto hung = std::make_shared<HeldCall>();
  std::thread caller([&] { EXPECT_EQ(threads.run(hung, Clock::now() + 20s), CallEnd::left); });
  hung->begun.acquire();
  const auto started = std::make_shared<HeldCall>();
  started->may_end.release();
  threads.start(started);
  threads.leave_all();
  caller.join();
  hung->may_end.release();
  EXPECT_TRUE(started->ended.try_acquire_for(20s));
}

// What SoftHSM's libcrypto does for each thread, for instance.
TEST(CallThreads, EndAfterWhatAModuleFreesForItsThreads) {
  static std::atomic<bool> freed = false;
  static pthread_key_t key;
  ASSERT_EQ(pthread_key_create(&key,
                               [](void*) {
                                 std::this_thread::sleep_for(50ms);  // for whoever does not wait
                                 freed = true;
                               }),
            0);
  class Keeping final : public Call {
   public:
    void run() noexcept override { pthread_setspecific(key, &freed); }
  };
  {
    CallThreads threads(1);
    ASSERT_EQ(threads.run(std::make_shared<Keeping>(), std::chrono::steady_clock::now() + 10s),
              CallEnd::returned);
  }
  EXPECT_TRUE(freed);
}

}  // namespace
}  // namespace keystay::ha
