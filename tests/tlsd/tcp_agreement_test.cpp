// Listeners of mode tcp: what is agreed on before the first byte (ALPN), and what the server is told of it
// (the PROXY protocol).
#include <string>
#include <vector>

#include <netinet/in.h>
#include <sys/socket.h>

#include "tests/tlsd/tcp_test.h"
#include "tlsd/tcp/proxy_protocol.h"

namespace keystay::test {
namespace {

using testing::HasSubstr;

struct AlpnCase {
  const char* name;
  std::vector<std::string> ours;
  const char* offered;
  const char* chosen;  // null: the handshake fails
};
class TcpAlpnTest : public TcpTest, public testing::WithParamInterface<AlpnCase> {};

TEST_P(TcpAlpnTest, IsChosenFromTheList) {
  listener_.alpn = GetParam().ours;
  serve(echo);
  TlsClient client(server_->port(), {.protocols = GetParam().offered});
  ASSERT_EQ(client.handshake(), GetParam().chosen != nullptr) << client.reason();
  if (GetParam().chosen == nullptr) {
    EXPECT_THAT(client.reason(), HasSubstr("no application protocol"));
    return;
  }
  const unsigned char* protocol = nullptr;
  unsigned int size = 0;
  SSL_get0_alpn_selected(client.ssl(), &protocol, &size);
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(protocol), size), GetParam().chosen);
}

const AlpnCase kAlpnCases[] = {
    {"of_one", {"postgresql"}, "\x0apostgresql", "postgresql"},
    {"the_preferred_of_several",
     {"b", "a"},
     "\x01"
     "a\x01"
     "b",
     "b"},
    {"none_of_ours_is_refused", {"postgresql"}, "\x08http/1.1", nullptr},
    {"none_offered", {"postgresql"}, "", ""},
    {"without_a_list_nobody_is_answered", {}, "\x08http/1.1", ""},
};
INSTANTIATE_TEST_SUITE_P(Alpn, TcpAlpnTest, testing::ValuesIn(kAlpnCases),
                         [](const auto& test) { return std::string(test.param.name); });

TEST_F(TcpTest, TellsTheServerOfTheClientByProxyProtocol) {
  app_.send_proxy = config::SendProxy::v2;
  listener_.alpn = {"mqtt"};
  serve([](RawSocket& client) { echo(client); });
  TlsClient client(server_->port(),
                   {.server_name = "localhost", .version = TLS1_3_VERSION, .protocols = "\x04mqtt"});
  ASSERT_TRUE(client.handshake()) << client.reason();
  client.write("hello");
  const std::string echoed = read_until(client, "hello");

  sockaddr_in here{};
  socklen_t size = sizeof here;
  ::getsockname(client.socket().descriptor(), reinterpret_cast<sockaddr*>(&here), &size);
  const auto loopback = tlsd::asio::ip::make_address("127.0.0.1");
  const tlsd::AgreedTls agreed{"TLSv1.3", SSL_get_cipher_name(client.ssl()), "mqtt", "localhost"};
  EXPECT_EQ(
      echoed,
      tlsd::proxy_header({loopback, ntohs(here.sin_port)}, {loopback, server_->port()}, agreed) + "hello");
}

// Byte by byte as doc/proxy-protocol.txt has it, sections 2.2 to 2.2.6.
TEST(ProxyProtocol, HasAddressesAndTlvs) {
  using tlsd::asio::ip::make_address;
  const std::string header =
      tlsd::proxy_header({make_address("192.0.2.1"), 0x1234}, {make_address("198.51.100.2"), 443},
                         {"TLSv1.2", "C", "pg", "a.b"});
  const std::string ssl = std::string("\x01\0\0\0\x01", 5) + std::string("\x21\0\x07TLSv1.2", 10) +
                          std::string(
                              "\x23\0\x01"
                              "C",
                              4);
  const std::string rest = std::string("\xc0\0\x02\x01\xc6\x33\x64\x02\x12\x34\x01\xbb", 12) +
                           std::string("\x01\0\x02pg", 5) +
                           std::string(
                               "\x02\0\x03"
                               "a.b",
                               6) +
                           std::string("\x20\0", 2) + static_cast<char>(ssl.size()) + ssl;
  EXPECT_EQ(header,
            std::string("\r\n\r\n\0\r\nQUIT\n\x21\x11\0", 15) + static_cast<char>(rest.size()) + rest);

  const std::string v6 = tlsd::proxy_header({make_address("2001:db8::1"), 1}, {make_address("::1"), 2},
                                            {"TLSv1.3", "C", "", ""});
  EXPECT_EQ(v6.substr(12, 2), "\x21\x21");
  EXPECT_EQ(v6.substr(16, 16), std::string("\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01", 16));
  EXPECT_EQ(v6.substr(48, 4), std::string("\0\x01\0\x02", 4));
  EXPECT_EQ(v6[52], '\x20') << "no TLV for what was not agreed on";
}

}  // namespace
}  // namespace keystay::test
