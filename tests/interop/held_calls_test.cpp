// An HSM whose calls do not return: keystay-tlsd serves all that needs none of them.
#include <chrono>
#include <future>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/interop/tlsd_on_token.h"

namespace keystay::test {
namespace {

using namespace std::chrono_literals;

constexpr int kClients = 8;

// More than the I/O threads, so that each of them has some: the kernel spreads connections over the threads
// by chance, and of sixteen none is left out in one run of thirty thousand.
constexpr int kOthers = 16;

class HeldCalls : public testing::TestWithParam<Function> {};

TEST_P(HeldCalls, KeepNoThreadFromServing) {
  TlsdOnToken tlsd("timeout = \"10m\"\n");
  ASSERT_EQ(tlsd.fetch(tlsd.port()).output, "502");
  if (GetParam() != Function::C_Sign) tlsd.faults().drop_sessions();
  tlsd.faults().hold(GetParam());
  std::vector<std::future<Outcome>> waiting;
  for (int i = 0; i < kClients; ++i)
    waiting.push_back(std::async(std::launch::async, [&] { return tlsd.fetch(tlsd.port()); }));
  ASSERT_TRUE(tlsd.faults().wait_until_inside(GetParam(), 1));

  for (int i = 0; i < kOthers; ++i) ASSERT_EQ(tlsd.fetch(tlsd.file_port()).output, "502");
  EXPECT_NE(tlsd.metric("keystay_tlsd_handshakes_paused"), "0");
  EXPECT_GE(tlsd.faults().inside(GetParam()), 1);

  tlsd.faults().release(GetParam());
  for (auto& client : waiting) {
    const Outcome outcome = client.get();
    EXPECT_EQ(outcome.output, "502") << outcome.error << tlsd.process().error();
  }
  EXPECT_EQ(tlsd.faults().calls_on_fibres(), 0u) << "a module never runs on the stack of a job";
  EXPECT_TRUE(tlsd.process().stop(60s).ok());
}

// A signature, and what repairs a session that is gone.
INSTANTIATE_TEST_SUITE_P(Of, HeldCalls,
                         testing::Values(Function::C_Sign, Function::C_OpenSession, Function::C_Login,
                                         Function::C_FindObjects),
                         [](const auto& test) { return std::string(name(test.param)); });

}  // namespace
}  // namespace keystay::test
