// The header of the PROXY protocol, as proxies send it, and as nobody should.
#include "tlsd/accept/proxy_header.h"

#include <string>

#include <gtest/gtest.h>

#include "tlsd/accept/listening_socket.h"

namespace keystay::tlsd {
namespace {

const std::string kSignature("\r\n\r\n\0\r\nQUIT\n", 12);
const std::string kAddresses("\xc0\x00\x02\x01\xc6\x33\x64\x01\xdc\x04\x01\xbb",
                             12);  // 192.0.2.1:56324, 198.51.100.1:443

std::string version_2(char command, char family, const std::string& rest) {
  return kSignature + command + family + static_cast<char>(rest.size() >> 8U) +
         static_cast<char>(rest.size()) + rest;
}
std::string tlv(char type, const std::string& value) {
  return std::string(1, type) + static_cast<char>(value.size() >> 8U) + static_cast<char>(value.size()) +
         value;
}

// By another way than the parser: bit by bit.
std::string checksum_of(const std::string& header) {
  std::uint32_t crc = 0xFFFFFFFF;
  for (const char c : header) {
    crc ^= static_cast<unsigned char>(c);
    for (int i = 0; i < 8; ++i) crc = (crc >> 1U) ^ ((crc & 1U) != 0 ? 0x82F63B78U : 0U);
  }
  crc = ~crc;
  std::string result;
  for (int shift = 24; shift >= 0; shift -= 8)
    result.push_back(static_cast<char>(crc >> static_cast<unsigned>(shift)));
  return result;
}

std::string clients_of(const std::string& bytes) {
  const ProxyHeader header = parse_proxy_header(bytes);
  if (header.state != ProxyHeader::State::complete) return "not complete";
  if (header.size > bytes.size()) return "too long";
  if (!header.connection) return "the proxy's own";
  return to_text(header.connection->client) + " to " + to_text(header.connection->server);
}

TEST(ProxyHeader, OfVersion1NamesTheClient) {
  EXPECT_EQ(clients_of("PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\n"),
            "192.0.2.1:56324 to 198.51.100.1:443");
  EXPECT_EQ(clients_of("PROXY TCP6 2001:db8::1 2001:db8::2 1 65535\r\n"),
            "[2001:db8::1]:1 to [2001:db8::2]:65535");
  EXPECT_EQ(clients_of("PROXY UNKNOWN\r\n"), "the proxy's own");
  EXPECT_EQ(clients_of("PROXY UNKNOWN ffff::1 whatever 5\r\n"), "the proxy's own");
}

TEST(ProxyHeader, OfVersion2NamesTheClient) {
  EXPECT_EQ(clients_of(version_2(0x21, 0x11, kAddresses)), "192.0.2.1:56324 to 198.51.100.1:443");
  const std::string v6(32, '\x01');
  EXPECT_EQ(clients_of(version_2(0x21, 0x21, v6 + std::string("\0\1\0\2", 4))),
            "[101:101:101:101:101:101:101:101]:1 to [101:101:101:101:101:101:101:101]:2");
  EXPECT_EQ(clients_of(version_2(0x20, 0x00, "")), "the proxy's own");
  EXPECT_EQ(clients_of(version_2(0x20, 0x11, kAddresses)), "the proxy's own");
  EXPECT_EQ(clients_of(version_2(0x20, 0x77, "ignored")), "the proxy's own");
  EXPECT_EQ(clients_of(version_2(0x21, 0x00, "")), "the proxy's own");
  EXPECT_EQ(clients_of(version_2(0x21, 0x31, std::string(216, '/'))), "the proxy's own");
  EXPECT_EQ(clients_of(version_2(0x21, 0x11, kAddresses + tlv(0x02, "www.example") + tlv(0x04, "pad"))),
            "192.0.2.1:56324 to 198.51.100.1:443");
}

TEST(ProxyHeader, LeavesWhatFollowsIt) {
  const std::string line = "PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\n";
  EXPECT_EQ(parse_proxy_header(line + "\x16\x03\x01").size, line.size());
  const std::string binary = version_2(0x21, 0x11, kAddresses);
  EXPECT_EQ(parse_proxy_header(binary + "\x16\x03\x01").size, binary.size());
}

TEST(ProxyHeader, IsIncompleteUntilItsLastByte) {
  for (const std::string& header :
       {std::string("PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\n"), version_2(0x21, 0x11, kAddresses),
        version_2(0x21, 0x11, kAddresses + tlv(0x02, "www.example"))}) {
    for (std::size_t size = 1; size < header.size(); ++size)
      EXPECT_EQ(parse_proxy_header(header.substr(0, size)).state, ProxyHeader::State::incomplete) << size;
    EXPECT_EQ(parse_proxy_header(header).state, ProxyHeader::State::complete);
  }
}

TEST(ProxyHeader, HasTheChecksumThatItStates) {
  const std::string zeros =
      version_2(0x21, 0x11, kAddresses + tlv(0x03, std::string(4, '\0')) + tlv(0x04, "x"));
  std::string header = zeros;
  header.replace(kSignature.size() + 4 + kAddresses.size() + 3, 4, checksum_of(zeros));
  EXPECT_EQ(clients_of(header), "192.0.2.1:56324 to 198.51.100.1:443");
  header.back() = 'y';
  EXPECT_EQ(parse_proxy_header(header).reason, "a checksum (PP2_TYPE_CRC32C) that is wrong");
  EXPECT_EQ(parse_proxy_header(zeros).state, ProxyHeader::State::bad);
}

TEST(ProxyHeader, IsBadAsSoonAsItIs) {
  for (const std::string& bytes : {
           std::string("\x16\x03\x01"),
           std::string("GET / HTTP/1.1\r\n"),
           std::string("PROXX"),
           std::string("PROXY TCP4 192.0.2.1 198.51.100.1 56324\r\n"),
           std::string("PROXY TCP4 192.0.2.1 198.51.100.1 56324 65536\r\n"),
           std::string("PROXY TCP4 192.0.2.1 198.51.100.1 056324 443\r\n"),
           std::string("PROXY TCP4 192.0.2.1 198.51.100.1 56324 443 \r\n"),
           std::string("PROXY TCP4 192.0.2.1  198.51.100.1 56324 443\r\n"),
           std::string("PROXY TCP4 ::1 ::1 1 1\r\n"),
           std::string("PROXY TCP6 192.0.2.1 198.51.100.1 1 1\r\n"),
           std::string("PROXY TCP4 192.0.2.1 198.51.100.1 -1 1\r\n"),
           std::string("PROXY UDP4 192.0.2.1 198.51.100.1 1 1\r\n"),
           std::string("PROXY \r\n"),
           "PROXY UNKNOWN " + std::string(100, 'x') + "\r\n",
           "PROXY " + std::string(107, 'x'),
           std::string("\r\n\r\n\0\r\nQUIX", 11),
           version_2(0x11, 0x11, kAddresses),
           version_2(0x22, 0x11, kAddresses),
           version_2(0x21, 0x12, kAddresses),
           version_2(0x21, 0x11, kAddresses.substr(1)),
           version_2(0x21, 0x41, kAddresses),
           version_2(0x21, 0x11, kAddresses + "\x02"),
           version_2(0x21, 0x11, kAddresses + tlv(0x02, "www").substr(0, 5)),
           version_2(0x21, 0x11, kAddresses + tlv(0x03, "abc")),
           version_2(0x21, 0x11, kAddresses + std::string(600, 'x')).substr(0, 16),
       }) {
    EXPECT_EQ(parse_proxy_header(bytes).state, ProxyHeader::State::bad) << bytes;
  }
}

}  // namespace
}  // namespace keystay::tlsd
