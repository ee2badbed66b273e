#include "tlsd/tcp/proxy_protocol.h"

#include <cstddef>
#include <cstdint>

namespace keystay::tlsd {
namespace {

constexpr std::string_view kSignature("\r\n\r\n\0\r\nQUIT\n", 12);
constexpr std::uint8_t kVersion2Proxy = 0x21;
constexpr std::uint8_t kTcpOverIpv4 = 0x11;
constexpr std::uint8_t kTcpOverIpv6 = 0x21;

// Section 2.2, "TLV".
constexpr std::uint8_t kAlpn = 0x01;
constexpr std::uint8_t kAuthority = 0x02;
constexpr std::uint8_t kSsl = 0x20;
constexpr std::uint8_t kSslVersion = 0x21;
constexpr std::uint8_t kSslCipher = 0x23;
constexpr std::uint8_t kClientUsedTls = 0x01;  // PP2_CLIENT_SSL

void append_byte(std::string& out, std::uint8_t byte) { out.push_back(static_cast<char>(byte)); }

// In network byte order.
void append_number(std::string& out, std::size_t number) {
  append_byte(out, static_cast<std::uint8_t>(number >> 8U));
  append_byte(out, static_cast<std::uint8_t>(number));
}

void append_tlv(std::string& out, std::uint8_t type, std::string_view value) {
  append_byte(out, type);
  append_number(out, value.size());
  out += value;
}

void append_address(std::string& out, const asio::ip::address& address) {
  const auto append = [&](const auto& bytes) {
    for (const unsigned char byte : bytes) append_byte(out, byte);
  };
  if (address.is_v4()) {
    append(address.to_v4().to_bytes());
  } else {
    append(address.to_v6().to_bytes());
  }
}

// Section 2.2.6: which of the client's properties hold, whether its certificate failed, and the rest as TLVs.
std::string ssl_value(const AgreedTls& tls) {
  std::string value;
  append_byte(value, kClientUsedTls);
  value.append("\0\0\0\1", 4);  // not zero: there is no certificate of the client that was verified
  append_tlv(value, kSslVersion, tls.version);
  append_tlv(value, kSslCipher, tls.cipher);
  return value;
}

}  // namespace

std::string proxy_header(const tcp::endpoint& client, const tcp::endpoint& server, const AgreedTls& tls) {
  std::string rest;
  append_address(rest, client.address());
  append_address(rest, server.address());
  append_number(rest, client.port());
  append_number(rest, server.port());
  if (!tls.protocol.empty()) append_tlv(rest, kAlpn, tls.protocol);
  if (!tls.server_name.empty()) append_tlv(rest, kAuthority, tls.server_name);
  append_tlv(rest, kSsl, ssl_value(tls));

  std::string header(kSignature);
  append_byte(header, kVersion2Proxy);
  append_byte(header, client.address().is_v4() ? kTcpOverIpv4 : kTcpOverIpv6);
  append_number(header, rest.size());
  return header + rest;
}

}  // namespace keystay::tlsd
