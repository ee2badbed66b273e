// max-connections-per-address and handshakes-per-second-per-address of a server.
#include "tests/tlsd/http_test.h"
#include "tests/tlsd/log_capture.h"

namespace keystay::test {
namespace {

class LimitsPerAddressTest : public HttpTest {
 protected:
  // Before log_ goes: no thread may write to it then.
  void TearDown() override { server_.reset(); }

  [[nodiscard]] bool refused_by(const std::string& limit, double times) const {
    return server_->wait_for_metric(
        "keystay_tlsd_handshakes_total{listener=\"https\",result=\"" + limit + "\"}", times);
  }
  [[nodiscard]] bool connections(double count) const {
    return server_->wait_for_metric(R"(keystay_tlsd_connections{listener="https"})", count);
  }

  LogCapture log_;
};

TEST_F(LimitsPerAddressTest, AnAddressHasItsConnectionsOverAllThreads) {
  listener_.max_connections_per_address = 2;
  serve(TestBackend::hello());
  TlsClient first = connect();
  {
    TlsClient second = connect();
    TlsClient third(server_->port());
    EXPECT_FALSE(third.handshake());
    EXPECT_TRUE(refused_by("address_connections", 1));
    EXPECT_TRUE(log_.wait_for("refused: max-connections-per-address = 2")) << log_.text();
  }
  ASSERT_TRUE(connections(1));
  EXPECT_EQ(answer(kGet).status, 200U);
}

TEST_F(LimitsPerAddressTest, AnAddressHasItsHandshakesASecond) {
  listener_.handshakes_per_second_per_address = 1;
  serve(TestBackend::hello());
  // However slow the machine is, the second one of two at once is too many at some time.
  for (int i = 0; i < 1000 && log_.count("handshakes-per-second-per-address = 1") == 0; ++i) {
    const RawSocket first = RawSocket::connect(server_->port());
    RawSocket second = RawSocket::connect(server_->port());
    second.end_sending();
    static_cast<void>(second.read_some());
  }
  EXPECT_GT(log_.count("refused: handshakes-per-second-per-address = 1"), 0) << log_.text();
}

TEST_F(LimitsPerAddressTest, AClientThatIsRefusedLeavesNothing) {
  listener_.max_connections_per_address = 1;
  serve(TestBackend::hello());
  {
    const TlsClient first = connect();
    for (int i = 0; i < 20; ++i) {
      RawSocket other = RawSocket::connect(server_->port());
      EXPECT_EQ(other.read_some(), "");
    }
    EXPECT_TRUE(refused_by("address_connections", 20));
  }
  ASSERT_TRUE(connections(0));
  EXPECT_EQ(answer(kGet).status, 200U);
}

}  // namespace
}  // namespace keystay::test
