#include "tests/support/process.h"

#include <chrono>
#include <csignal>
#include <fstream>
#include <system_error>
#include <thread>

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

namespace keystay::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;

TEST(Run, GivesExitCodeAndBothTexts) {
  const Outcome outcome = run({"sh", "-c", "echo data; echo talk >&2; exit 3"});
  EXPECT_EQ(outcome.exit_code, 3);
  EXPECT_EQ(outcome.output, "data\n");
  EXPECT_EQ(outcome.error, "talk\n");
  EXPECT_FALSE(outcome.ok());
}

TEST(Run, FeedsStandardInputAndEnvironment) {
  const Outcome outcome = run({"sh", "-c", "cat; printf %s \"$GREETING\""},
                              {.environment = {{"GREETING", "hello"}}, .input = "from stdin\n"});
  EXPECT_EQ(outcome.output, "from stdin\nhello");
}

TEST(Run, ReportsTheSignalThatEndedTheProgram) {
  const Outcome outcome = run({"sh", "-c", "kill -SEGV $$"});
  EXPECT_EQ(outcome.signal, SIGSEGV);
  EXPECT_EQ(outcome.exit_code, -1);
}

TEST(Run, KillsTheProgramAndItsChildrenAtTheTimeLimit) {
  Process process({"sh", "-c", "sleep 600 & echo $!; wait"});
  ASSERT_TRUE(process.wait_for_text("\n", seconds(20))) << process.error();
  const Outcome outcome = process.wait(milliseconds(10));
  EXPECT_TRUE(outcome.timed_out);
  EXPECT_EQ(outcome.signal, SIGKILL);
  const std::string grandchild = outcome.output.substr(0, outcome.output.find('\n'));
  const auto is_dead = [&] {
    std::ifstream status("/proc/" + grandchild + "/stat");
    std::string pid, name, state = "gone";
    status >> pid >> name >> state;
    return state == "gone" || state == "Z" || state == "X";  // its new parent may not have collected it yet
  };
  const auto limit = std::chrono::steady_clock::now() + seconds(20);
  while (!is_dead() && std::chrono::steady_clock::now() < limit) std::this_thread::sleep_for(milliseconds(2));
  EXPECT_TRUE(is_dead());
}

TEST(Run, ThrowsForAProgramThatDoesNotExist) {
  EXPECT_THROW((void)run({"/nonexistent/program"}), std::system_error);
}

TEST(Run, TakesMoreOutputThanAPipeHolds) {
  const Outcome outcome = run({"sh", "-c", "head -c 1000000 /dev/zero; head -c 1000000 /dev/zero >&2"});
  EXPECT_EQ(outcome.output.size(), 1'000'000u);
  EXPECT_EQ(outcome.error.size(), 1'000'000u);
}

TEST(Process, StopSendsSigterm) {
  Process process({"sh", "-c", "trap 'echo bye; exit 0' TERM; echo ready; while :; do sleep 0.05; done"});
  ASSERT_TRUE(process.wait_for_text("ready", seconds(20)));
  EXPECT_TRUE(process.running());
  const Outcome outcome = process.stop();
  EXPECT_EQ(outcome.exit_code, 0) << outcome;
  EXPECT_THAT(outcome.output, HasSubstr("bye"));
  EXPECT_FALSE(process.running());
}

TEST(Process, WaitForTextEndsWithTheProgram) {
  Process process({"true"});
  EXPECT_FALSE(process.wait_for_text("never written", seconds(60)));
}

TEST(Port, IsFreeUntilSomebodyListens) {
  const std::uint16_t port = free_port();
  EXPECT_FALSE(wait_for_port(port, milliseconds(0)));

  const Descriptor listener(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(bind(listener.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(listen(listener.get(), 1), 0);
  EXPECT_TRUE(wait_for_port(port));
}

}  // namespace
}  // namespace keystay::test
