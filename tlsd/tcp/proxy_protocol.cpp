#include "tlsd/tcp/proxy_protocol.h"

#include <cstddef>
#include <cstdint>

#include "tlsd/accept/listening_socket.h"

namespace keystay::tlsd {
namespace {

constexpr std::uint8_t kVersion2Proxy = 0x21;
constexpr std::uint8_t kUnspecified = 0x00;
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

// The TLVs and what is in front of them.
std::string header_with(std::string_view tlvs, const tcp::endpoint& client, const tcp::endpoint& server) {
  std::string addresses;
  const bool known = !is_unspecified(client) && client.address().is_v4() == server.address().is_v4();
  if (known) {
    append_address(addresses, client.address());
    append_address(addresses, server.address());
    append_number(addresses, client.port());
    append_number(addresses, server.port());
  }
  std::string header(kProxySignature);
  append_byte(header, kVersion2Proxy);
  append_byte(header, !known ? kUnspecified : client.address().is_v4() ? kTcpOverIpv4 : kTcpOverIpv6);
  append_number(header, addresses.size() + tlvs.size());
  return header.append(addresses).append(tlvs);
}

}  // namespace

std::string proxy_header(const tcp::endpoint& client, const tcp::endpoint& server, const AgreedTls& tls) {
  std::string tlvs;
  if (!tls.protocol.empty()) append_tlv(tlvs, kAlpn, tls.protocol);
  if (!tls.server_name.empty()) append_tlv(tlvs, kAuthority, tls.server_name);
  append_tlv(tlvs, kSsl, ssl_value(tls));
  return header_with(tlvs, client, server);
}

std::string proxy_header_in_clear(const tcp::endpoint& client, const tcp::endpoint& server) {
  return header_with({}, client, server);
}

}  // namespace keystay::tlsd
