// RFC 9110, section 7.8: after 101 the connection is a tunnel.
#include <string>

#include "tests/tlsd/http_test.h"

namespace keystay::test {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

class UpgradeTest : public HttpTest {};

TEST_F(UpgradeTest, TunnelsWebSocketAfter101) {
  serve([](RawSocket& client) {
    const std::string head = read_until(client, "\r\n\r\n");
    EXPECT_THAT(head, AllOf(HasSubstr("Connection: Upgrade\r\n"), HasSubstr("Upgrade: websocket\r\n"),
                            HasSubstr("Sec-WebSocket-Key: abc\r\n")));
    client.write(
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nearly");
    for (std::string data = client.read_some(); !data.empty(); data = client.read_some())
      client.write("<" + data + ">");
    client.write("bye");
  });
  TlsClient client = connect();
  client.write(
      "GET /chat HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: "
      "abc\r\n\r\n");
  EXPECT_THAT(
      read_until(client, "early"),
      AllOf(StartsWith("HTTP/1.1 101"), HasSubstr("Upgrade: websocket\r\n"), EndsWith("\r\n\r\nearly")));
  client.write("frame");
  EXPECT_EQ(read_until(client, ">"), "<frame>");
  client.send_close_notify();  // half-close: what the backend still sends arrives
  EXPECT_EQ(read_to_end(client), "bye");
  EXPECT_TRUE(client.ended_in_order());
  EXPECT_TRUE(server_->wait_for_metric(R"(keystay_tlsd_connections{listener="https"})", 0));
}

TEST_F(UpgradeTest, ATunnelThatIsIdleEnds) {
  listener_.idle_timeout = 1s;
  serve([](RawSocket& client) {
    read_until(client, "\r\n\r\n");
    client.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
    read_to_end(client);
  });
  TlsClient client = connect();
  client.write("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
  EXPECT_THAT(read_to_end(client), StartsWith("HTTP/1.1 101"));
  EXPECT_TRUE(server_->wait_for_metric(R"(keystay_tlsd_connections{listener="https"})", 0));
}

TEST_F(UpgradeTest, ARefusedUpgradeIsAnOrdinaryResponse) {
  serve(TestBackend::hello("no"));
  TlsClient client = connect();
  const HttpResponse response =
      send_request(client, "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
  EXPECT_EQ(response.status, 200U);
  EXPECT_EQ(response.body, "no");
}

}  // namespace
}  // namespace keystay::test
