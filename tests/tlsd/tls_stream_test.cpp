// The handshake that waits for a key: every way in which it can be paused, woken, and given up. The pauses
// come from a stand-in for the provider; token_test.cpp does the same with a real one.
#include "tlsd/tls/tls_stream.h"

#include <future>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/tlsd/data_segments.h"
#include "tests/tlsd/http_response.h"
#include "tests/tlsd/pausing_key.h"
#include "tests/tlsd/stream_bench.h"
#include "tests/tlsd/tls_client.h"

namespace keystay::test {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using tlsd::Handshake;

// What the handshakes of the bench came to, in the order of their ends.
std::vector<Handshake> ends(StreamBench& bench, std::size_t count) {
  std::vector<Handshake> result;
  for (const auto& end : bench.results(count)) result.push_back(end.handshake);
  return result;
}

using testing::Each;
using testing::ElementsAre;
using testing::UnorderedElementsAre;

class TlsStreamTest : public testing::TestWithParam<int> {
 protected:
  // A client that has sent its first flight and now waits for the server's signature.
  [[nodiscard]] RawSocket waiting_client(StreamBench& bench) const {
    const std::string hello = client_hello({.version = GetParam()});  // the server's time runs from accept
    RawSocket client = RawSocket::connect(bench.port());
    client.write(hello);
    return client;
  }

  // Nothing is left of any connection.
  static void expect_nothing_left(StreamBench& bench) {
    EXPECT_TRUE(bench.idle());
    EXPECT_EQ(bench.paused(), 0);
  }
};
INSTANTIATE_TEST_SUITE_P(Tls, TlsStreamTest, testing::Values(TLS1_2_VERSION, TLS1_3_VERSION),
                         [](const auto& version) { return version.param == TLS1_2_VERSION ? "v12" : "v13"; });

TEST_P(TlsStreamTest, CompletesAHandshakeThatPauses) {
  PausingKey key(PausingKey::Wakes::by_itself);
  StreamBench bench;
  key.install(bench.context());
  TlsClient client(bench.port(), {.version = GetParam()});
  ASSERT_TRUE(client.handshake()) << client.reason();
  EXPECT_THAT(ends(bench, 1), ElementsAre(Handshake::full));
  EXPECT_EQ(key.ended(), 1);
  client.write("hello");
  EXPECT_EQ(client.read_some(), "hello");
  EXPECT_EQ(bench.paused(), 0);
}

TEST_P(TlsStreamTest, SendsEachFlightInOneSegment) {
  StreamBench bench;
  TlsClient client(bench.port(), {.version = GetParam()});
  ASSERT_TRUE(client.handshake()) << client.reason();
  client.write("hello");
  EXPECT_EQ(client.read_some(), "hello");
  // The server's flight, its tickets (with TLS 1.2, its Finished), and the answer.
  EXPECT_EQ(data_segments(client.socket().descriptor()), 3);
}

TEST_P(TlsStreamTest, CompletesAHandshakeThatPausesSeveralTimes) {
  PausingKey key(PausingKey::Wakes::by_itself);
  StreamBench bench;
  key.install(bench.context(), 5);
  TlsClient client(bench.port(), {.version = GetParam()});
  ASSERT_TRUE(client.handshake()) << client.reason();
  EXPECT_THAT(ends(bench, 1), ElementsAre(Handshake::full));
  EXPECT_EQ(key.ended(), 5);
  EXPECT_EQ(bench.paused(), 0);
}

TEST_P(TlsStreamTest, SurvivesSpuriousWakes) {
  PausingKey key(PausingKey::Wakes::by_itself);
  key.wake_spuriously();
  StreamBench bench;
  key.install(bench.context(), 3);
  TlsClient client(bench.port(), {.version = GetParam()});
  ASSERT_TRUE(client.handshake()) << client.reason();
  EXPECT_EQ(key.ended(), 3);
  EXPECT_GE(key.resumed_early(), 3);
}

TEST_P(TlsStreamTest, SetsTheCallbackBeforeTheFirstCall) {
  // The stand-in fails the handshake if its job has no callback when it pauses for the first time.
  PausingKey key(PausingKey::Wakes::by_itself);
  StreamBench bench;
  key.install(bench.context());
  for (int i = 0; i < 50; ++i) {
    TlsClient client(bench.port(), {.version = GetParam()});
    ASSERT_TRUE(client.handshake()) << client.reason();
  }
  EXPECT_EQ(key.ended(), 50);
}

TEST_P(TlsStreamTest, ServesOthersWhileAHandshakeIsPaused) {
  PausingKey key(PausingKey::Wakes::when_asked);
  StreamBench bench;
  TlsClient established(bench.port(), {.version = GetParam()});
  ASSERT_TRUE(established.handshake());
  key.install(bench.context());
  const RawSocket waiting = waiting_client(bench);
  ASSERT_TRUE(key.wait_until_begun(1));
  established.write("still there?");
  EXPECT_EQ(established.read_some(), "still there?");
  EXPECT_EQ(bench.paused(), 1);
  key.finish_one();
}

TEST_P(TlsStreamTest, AnswersAFailedSignatureWithAnAlert) {
  PausingKey key(PausingKey::Wakes::by_itself);
  key.fail_operations();
  StreamBench bench;
  key.install(bench.context());
  TlsClient client(bench.port(), {.version = GetParam()});
  EXPECT_FALSE(client.handshake());
  EXPECT_THAT(client.reason(), HasSubstr("alert internal error"));
  EXPECT_THAT(ends(bench, 1), ElementsAre(Handshake::sign_failed));
  expect_nothing_left(bench);
}

TEST_P(TlsStreamTest, GivesUpWhenTheClientCloses) {
  PausingKey key(PausingKey::Wakes::when_asked);
  StreamBench bench({.abandon = &PausingKey::abandon});
  key.install(bench.context());
  RawSocket client = waiting_client(bench);
  ASSERT_TRUE(key.wait_until_begun(1));
  client.close();
  EXPECT_THAT(ends(bench, 1), ElementsAre(Handshake::client_closed));
  EXPECT_EQ(key.abandoned(), 1);
  expect_nothing_left(bench);
}

TEST_P(TlsStreamTest, GivesUpWhenTheClientResets) {
  PausingKey key(PausingKey::Wakes::when_asked);
  StreamBench bench({.abandon = &PausingKey::abandon});
  key.install(bench.context());
  RawSocket client = waiting_client(bench);
  ASSERT_TRUE(key.wait_until_begun(1));
  client.reset();
  EXPECT_THAT(ends(bench, 1), ElementsAre(Handshake::client_closed));
  EXPECT_EQ(key.abandoned(), 1);
  expect_nothing_left(bench);
}

TEST_P(TlsStreamTest, SeesAClientLeaveThatSentMoreBefore) {
  PausingKey key(PausingKey::Wakes::when_asked);
  StreamBench bench({.abandon = &PausingKey::abandon});
  key.install(bench.context());
  RawSocket client = waiting_client(bench);
  ASSERT_TRUE(key.wait_until_begun(1));
  client.write("nobody asked for this");
  bench.on_thread([] {});
  client.write("nor for this");
  bench.on_thread([] {});
  EXPECT_EQ(key.abandoned(), 0);
  client.close();
  EXPECT_THAT(ends(bench, 1), ElementsAre(Handshake::client_closed));
  EXPECT_EQ(key.abandoned(), 1);
  expect_nothing_left(bench);
}

TEST_P(TlsStreamTest, BytesAheadOfTheirTurnAreNotLost) {
  PausingKey key(PausingKey::Wakes::when_asked);
  StreamBench bench({.abandon = &PausingKey::abandon});
  key.install(bench.context());
  RawSocket client = waiting_client(bench);
  ASSERT_TRUE(key.wait_until_begun(1));
  client.write(std::string("\x15\x03\x03\x00\x02\x02\x28", 7));  // a fatal alert, handshake_failure
  bench.on_thread([] {});
  key.finish_one();
  EXPECT_THAT(ends(bench, 1), ElementsAre(Handshake::refused));
  EXPECT_THAT(bench.results(1).front().reason, HasSubstr("alert handshake failure"));
  expect_nothing_left(bench);
}

TEST_P(TlsStreamTest, GivesUpAtTheDeadline) {
  PausingKey key(PausingKey::Wakes::when_asked);
  StreamBench bench({.handshake_limit = 1s, .abandon = &PausingKey::abandon});
  key.install(bench.context());
  RawSocket client = waiting_client(bench);
  ASSERT_TRUE(key.wait_until_begun(1));
  EXPECT_THAT(ends(bench, 1), ElementsAre(Handshake::timed_out));
  EXPECT_EQ(key.abandoned(), 1);
  expect_nothing_left(bench);
}

TEST_P(TlsStreamTest, GivesUpWhenTheServerStops) {
  PausingKey key(PausingKey::Wakes::when_asked);
  StreamBench bench({.abandon = &PausingKey::abandon});
  key.install(bench.context());
  std::vector<RawSocket> clients;
  for (int i = 0; i < 3; ++i) clients.push_back(waiting_client(bench));
  ASSERT_TRUE(key.wait_until_begun(3));
  bench.interrupt_all();
  EXPECT_THAT(ends(bench, 3), Each(Handshake::stopped));
  EXPECT_EQ(key.abandoned(), 3);
  expect_nothing_left(bench);
}

TEST_P(TlsStreamTest, WaitsForAKeyThatCannotGiveUp) {
  PausingKey key(PausingKey::Wakes::when_asked);
  StreamBench bench;  // without an abandon function
  key.install(bench.context());
  RawSocket client = waiting_client(bench);
  ASSERT_TRUE(key.wait_until_begun(1));
  client.close();
  while (bench.given_up() == 0) bench.on_thread([] {});
  EXPECT_EQ(bench.paused(), 1);
  key.finish_one();
  EXPECT_THAT(ends(bench, 1), ElementsAre(Handshake::client_closed));
  EXPECT_EQ(key.ended(), 1);
  EXPECT_EQ(key.resumed_early(), 0);
  expect_nothing_left(bench);
}

TEST_P(TlsStreamTest, QueuesWhenEveryJobIsPaused) {
  PausingKey key(PausingKey::Wakes::when_asked);
  StreamBench bench({.most_jobs = 2, .abandon = &PausingKey::abandon});
  key.install(bench.context());
  std::vector<std::unique_ptr<TlsClient>> clients;
  std::vector<std::future<bool>> handshakes;
  for (int i = 0; i < 6; ++i) {
    clients.push_back(std::make_unique<TlsClient>(bench.port(), TlsClientOptions{.version = GetParam()}));
    handshakes.push_back(std::async(std::launch::async, &TlsClient::handshake, clients.back().get()));
  }
  for (int i = 1; i <= 6; ++i) {
    ASSERT_TRUE(key.wait_until_begun(std::min(i + 1, 6)));
    EXPECT_LE(bench.paused(), 2);
    key.finish_one();
  }
  for (auto& handshake : handshakes) EXPECT_TRUE(handshake.get());
  EXPECT_THAT(ends(bench, 6), Each(Handshake::full));
  EXPECT_EQ(bench.paused(), 0);
}

TEST_P(TlsStreamTest, AClientThatLeavesTheQueueGivesItsTurnAway) {
  PausingKey key(PausingKey::Wakes::when_asked);
  StreamBench bench({.most_jobs = 1, .abandon = &PausingKey::abandon});
  key.install(bench.context());
  RawSocket first = waiting_client(bench);
  ASSERT_TRUE(key.wait_until_begun(1));
  RawSocket leaver = waiting_client(bench);
  RawSocket last = waiting_client(bench);
  leaver.close();
  EXPECT_THAT(ends(bench, 1), ElementsAre(Handshake::client_closed));
  first.close();  // its job goes to the last, though the leaver stood in front of it
  EXPECT_TRUE(key.wait_until_begun(2));
  last.close();
  EXPECT_THAT(ends(bench, 3), Each(Handshake::client_closed));
  EXPECT_EQ(key.abandoned(), 2);
  expect_nothing_left(bench);
}

TEST_P(TlsStreamTest, LeavesNothingBehindThousandsOfAbortedHandshakes) {
  PausingKey key(PausingKey::Wakes::by_itself);
  StreamBench bench({.abandon = &PausingKey::abandon});
  key.install(bench.context(), 2);
  constexpr std::size_t kHandshakes = 2000;
  for (std::size_t i = 0; i < kHandshakes; ++i) {
    RawSocket client = waiting_client(bench);
    if (i % 2 == 0) client.reset();
  }
  EXPECT_THAT(ends(bench, kHandshakes), Each(Handshake::client_closed));
  expect_nothing_left(bench);
}

TEST_P(TlsStreamTest, CarriesAMegabyteBothWays) {
  StreamBench bench;
  TlsClient client(bench.port(), {.version = GetParam()});
  ASSERT_TRUE(client.handshake());
  std::string sent;
  for (int i = 0; i < 1'000'000; ++i) sent += static_cast<char>('a' + i % 23);
  auto writing = std::async(std::launch::async, [&] { return client.write(sent.substr(0, 16000)); });
  ASSERT_TRUE(writing.get());
  std::string received;
  std::size_t offset = 16000;
  while (received.size() < sent.size()) {
    const std::string more = client.read_some();
    ASSERT_FALSE(more.empty()) << client.reason();
    received += more;
    if (offset < sent.size() && received.size() + 16000 >= offset) {
      ASSERT_TRUE(client.write(std::string_view(sent).substr(offset, 16000)));
      offset += std::min<std::size_t>(16000, sent.size() - offset);
    }
  }
  EXPECT_EQ(received, sent);
}

TEST_P(TlsStreamTest, AnswersCloseNotifyWithCloseNotify) {
  StreamBench bench;
  TlsClient client(bench.port(), {.version = GetParam()});
  ASSERT_TRUE(client.handshake());
  client.send_close_notify();
  EXPECT_EQ(client.read_some(), "");
  EXPECT_TRUE(client.ended_in_order());
  expect_nothing_left(bench);
}

TEST_P(TlsStreamTest, TakesAResumptionWithoutTheKey) {
  StreamBench bench;
  SslSession session;
  {
    TlsClient client(bench.port(), {.version = GetParam()});
    ASSERT_TRUE(client.handshake());
    client.write("x");
    EXPECT_EQ(client.read_some(), "x");  // reads the tickets, too
    session = client.session();
    client.send_close_notify();
  }
  TlsClient client(bench.port(), {.version = GetParam(), .session = session.get()});
  ASSERT_TRUE(client.handshake()) << client.reason();
  EXPECT_TRUE(client.resumed());
  EXPECT_THAT(ends(bench, 2), ElementsAre(Handshake::full, Handshake::resumed));
}

TEST(TlsStream, AllocatesNothingForASilentClientAndTimesItOut) {
  StreamBench bench({.handshake_limit = 100ms});
  RawSocket client = RawSocket::connect(bench.port());
  EXPECT_EQ(client.read_some(), "");
  EXPECT_THAT(ends(bench, 1), ElementsAre(Handshake::timed_out));
}

TEST(TlsStream, TimesOutAClientThatStopsInItsHello) {
  StreamBench bench({.handshake_limit = 100ms});
  RawSocket client = RawSocket::connect(bench.port());
  client.write(client_hello().substr(0, 50));
  EXPECT_EQ(client.read_some(), "");
  EXPECT_THAT(ends(bench, 1), ElementsAre(Handshake::timed_out));
}

TEST(TlsStream, TellsPlainHttpFromNoise) {
  StreamBench bench;
  RawSocket http = RawSocket::connect(bench.port());
  http.write("OPTIONS * HTTP/1.1\r\n");
  EXPECT_THAT(ends(bench, 1), ElementsAre(Handshake::plain_http));
  RawSocket noise = RawSocket::connect(bench.port());
  noise.write("\x80\x2e\x01\x03\x01 garbage that is long enough for a record header");
  EXPECT_THAT(ends(bench, 2), ElementsAre(Handshake::plain_http, Handshake::refused));
  RawSocket gone = RawSocket::connect(bench.port());
  gone.close();
  EXPECT_THAT(ends(bench, 3),
              ElementsAre(Handshake::plain_http, Handshake::refused, Handshake::client_closed));
}

}  // namespace
}  // namespace keystay::test
