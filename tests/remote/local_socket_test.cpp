// `p11-kit server` of this machine, by its socket: no relay, no TLS, and the same repairs.
#include <chrono>
#include <csignal>
#include <thread>

#include "tests/remote/remote_test.h"

namespace keystay::keys {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

class LocalSocket : public RemoteTest {
 protected:
  std::shared_ptr<KeySource> source_ = open(hsm_.local_configuration("timeout = \"4s\"\n"));
};

TEST_F(LocalSocket, IsUsedWithoutARelay) {
  EXPECT_TRUE(signs(key(source_)));
  EXPECT_THAT(hsm_.relays(), IsEmpty());
  EXPECT_EQ(hsm_.connections().size(), 1U);
}

TEST_F(LocalSocket, ReplacesADeadServerProcess) {
  const PrivateKey httpd = key(source_);
  for (int i = 0; i < 3; ++i) {
    hsm_.signal_connections(SIGKILL);
    ASSERT_TRUE(eventually([&] { return hsm_.connections().empty(); }));
    EXPECT_TRUE(signs(httpd)) << i;
  }
}

TEST_F(LocalSocket, ReplacesAHungServerProcess) {
  const PrivateKey httpd = key(source_);
  const std::vector<pid_t> hung = hsm_.connections();
  hsm_.signal_connections(SIGSTOP);
  EXPECT_TRUE(signs(httpd));
  for (const pid_t process : hung) ::kill(process, SIGKILL);
}

// As timers and children of a server send them to its main thread.
class Interrupted : public LocalSocket, public testing::WithParamInterface<bool> {
 protected:
  Interrupted() {
    struct sigaction action {};
    action.sa_handler = [](int) {};
    sigaction(SIGUSR1, &action, nullptr);
    interrupts_ = std::jthread([thread = pthread_self()](const std::stop_token& stop) {
      while (!stop.stop_requested()) {
        pthread_kill(thread, SIGUSR1);
        std::this_thread::sleep_for(std::chrono::milliseconds(2));  // between signals
      }
    });
  }

  std::jthread interrupts_;
};

TEST_P(Interrupted, ConnectsAllTheSame) {
  for (int i = 0; i < 5; ++i)
    EXPECT_EQ(failure(open(GetParam() ? hsm_.local_configuration() : hsm_.configuration())), "") << i;
}

INSTANTIATE_TEST_SUITE_P(Remote, Interrupted, testing::Bool());

TEST_F(LocalSocket, WithoutAServerIsNamed) {
  const PrivateKey httpd = key(source_);
  hsm_.stop_server();
  hsm_.signal_connections(SIGKILL);
  const std::string error = failure([&] { static_cast<void>(signs(httpd)); });
  if (!error.empty()) {
    EXPECT_THAT(error, HasSubstr("unix:" + hsm_.file("p11-kit.sock")));
  }
  hsm_.start_server();
  EXPECT_TRUE(eventually([&] { return failure([&] { EXPECT_TRUE(signs(httpd)); }).empty(); }));
  const auto absent = open("[token.web]\nendpoints = [\"unix:/nonexistent/a.sock\"]\nlabel = \"hsm\"\n");
  EXPECT_THAT(failure(absent),
              HasSubstr("unix:/nonexistent/a.sock cannot be used: connect: No such file or directory"));
}

}  // namespace
}  // namespace keystay::keys
