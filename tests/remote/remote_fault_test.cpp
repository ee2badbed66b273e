// What can fail between a process and a token on another machine: signatures go on, or say why they do not.
#include <atomic>
#include <csignal>
#include <mutex>
#include <thread>
#include <vector>

#include "tests/remote/remote_test.h"

namespace keystay::keys {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

class RemoteFault : public RemoteTest {
 protected:
  void connect() {
    source_ = open_with("timeout = \"4s\"\n");
    key_.emplace(key(source_));
    ASSERT_TRUE(signs(*key_));
  }

  std::shared_ptr<KeySource> source_;
  std::optional<PrivateKey> key_;
};

TEST_F(RemoteFault, ADeadRelayIsReplaced) {
  connect();
  for (int i = 0; i < 3; ++i) {
    for (const pid_t relay : hsm_.relays()) ::kill(relay, SIGKILL);
    ASSERT_TRUE(eventually([&] { return hsm_.relays().empty(); }));
    EXPECT_TRUE(signs(*key_)) << i;
  }
}

// It takes connections, and never says a word of them.
TEST_F(RemoteFault, AStoppedRelayIsReplaced) {
  source_ = open_with("timeout = \"2s\"\nconnect-timeout = \"500ms\"\n");
  key_.emplace(key(source_));
  ASSERT_TRUE(signs(*key_));
  const std::vector<pid_t> stopped = hsm_.relays();
  ASSERT_EQ(stopped.size(), 1U);
  ::kill(stopped.front(), SIGSTOP);
  EXPECT_TRUE(eventually([&] { return failure([&] { EXPECT_TRUE(signs(*key_)); }).empty(); }));
  ::kill(stopped.front(), SIGCONT);
  EXPECT_TRUE(eventually([&] { return hsm_.relays().size() == 1 && hsm_.relays() != stopped; }))
      << "the one that was stopped ends";
  EXPECT_TRUE(signs(*key_));
}

TEST_F(RemoteFault, ADeadServerProcessIsReplaced) {
  connect();
  for (int i = 0; i < 3; ++i) {
    hsm_.signal_connections(SIGKILL);
    ASSERT_TRUE(eventually([&] { return hsm_.connections().empty(); }));
    EXPECT_TRUE(signs(*key_)) << i;
  }
}

// The connection is given up after response-timeout, half of timeout, and the signature is made on another
// one.
TEST_F(RemoteFault, AHungServerProcessCostsNoSignature) {
  connect();
  const std::vector<pid_t> hung = hsm_.connections();
  hsm_.signal_connections(SIGSTOP);
  EXPECT_TRUE(signs(*key_));
  for (const pid_t process : hung) ::kill(process, SIGKILL);
}

TEST_F(RemoteFault, AHungConnectionHoldsNoOther) {
  connect();
  hsm_.signal_connections(SIGSTOP);
  const std::vector<pid_t> hung = hsm_.connections();
  std::jthread waits([&] { EXPECT_TRUE(signs(*key_)); });
  // Those behind it take other lanes, and are done while it still waits.
  std::vector<std::jthread> others;
  std::atomic<int> good = 0;
  for (int i = 0; i < 2; ++i)
    others.emplace_back([&] {
      for (int j = 0; j < 10; ++j) good += signs(*key_) ? 1 : 0;
    });
  others.clear();
  EXPECT_EQ(good, 20);
  waits.join();
  for (const pid_t process : hung) ::kill(process, SIGKILL);
}

TEST_F(RemoteFault, ARestartedEndpointIsUsedAgain) {
  connect();
  hsm_.stop_tlsd();
  EXPECT_THAT(failure([&] { static_cast<void>(signs(*key_)); }), HasSubstr("TCP: Connection refused"));
  hsm_.start_tlsd();
  EXPECT_TRUE(eventually([&] { return failure([&] { EXPECT_TRUE(signs(*key_)); }).empty(); }));
}

TEST_F(RemoteFault, ARestartedServerIsUsedAgain) {
  connect();
  hsm_.stop_server();
  hsm_.start_server();
  EXPECT_TRUE(eventually([&] { return failure([&] { EXPECT_TRUE(signs(*key_)); }).empty(); }));
}

TEST_F(RemoteFault, ADeadEndpointIsPassedOver) {
  auto place = hsm_.place();
  place.endpoints = "\"127.0.0.1:" + std::to_string(test::free_port()) + "\", " + place.endpoints;
  EXPECT_TRUE(signs(key(open(hsm_.configuration(place)))));
}

TEST_F(RemoteFault, UnderLoadKillsCostNoSignature) {
  connect();
  std::atomic<bool> stop = false;
  std::atomic<int> good = 0;
  std::atomic<int> bad = 0;
  std::string error;
  std::mutex mutex;
  std::vector<std::jthread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] {
      while (!stop) {
        const std::string reason = failure([&] { signs(*key_) ? ++good : ++bad; });
        if (reason.empty()) continue;
        ++bad;
        const std::lock_guard lock(mutex);
        error = reason;
      }
    });
  for (int i = 0; i < 6; ++i) {
    std::this_thread::sleep_for(400ms);  // of load
    if (i % 2 == 0)
      hsm_.signal_connections(SIGKILL);
    else
      for (const pid_t relay : hsm_.relays()) ::kill(relay, SIGKILL);
  }
  stop = true;
  threads.clear();
  EXPECT_EQ(bad, 0) << error;
  EXPECT_GT(good, 0);
  RecordProperty("signatures", good);
}

}  // namespace
}  // namespace keystay::keys
