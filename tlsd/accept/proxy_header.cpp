#include "tlsd/accept/proxy_header.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <string>

#include <arpa/inet.h>
#include <boost/crc.hpp>

#include "tlsd/tcp/proxy_protocol.h"

namespace keystay::tlsd {
namespace {

// Section 2.1, "the maximum line lengths", with CR LF.
constexpr std::size_t kMostVersion1 = 107;
constexpr std::string_view kVersion1 = "PROXY ";

// Section 2.2: signature, version and command, family and protocol, length.
constexpr std::size_t kFixedPart = 16;
constexpr std::uint8_t kLocal = 0x20;
constexpr std::uint8_t kProxy = 0x21;

struct Family {
  std::uint8_t code;
  std::size_t addresses;  // bytes
};
constexpr std::uint8_t kTcpOverIpv4 = 0x11;
constexpr std::uint8_t kTcpOverIpv6 = 0x21;
// A connection is no datagram, so that 0x12, 0x22 and 0x32 are wrong here.
constexpr std::array<Family, 4> kFamilies{{{0x00, 0}, {kTcpOverIpv4, 12}, {kTcpOverIpv6, 36}, {0x31, 216}}};

constexpr std::uint8_t kCrc32c = 0x03;  // PP2_TYPE_CRC32C
constexpr std::size_t kTlvHeader = 3;

ProxyHeader bad(std::string_view reason) { return {ProxyHeader::State::bad, 0, {}, reason}; }

std::uint8_t byte_at(std::string_view bytes, std::size_t at) { return static_cast<std::uint8_t>(bytes[at]); }
std::uint16_t number_at(std::string_view bytes, std::size_t at) {
  return static_cast<std::uint16_t>((byte_at(bytes, at) << 8U) | byte_at(bytes, at + 1));
}

// "0" to "65535", without leading zeros.
std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const char* const end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, port);
  if (error != std::errc() || at != end || (text.size() > 1 && text.front() == '0')) return std::nullopt;
  return port;
}

std::optional<asio::ip::address> parse_address(std::string_view text, int family) {
  const std::string terminated(text);
  asio::ip::address_v6::bytes_type bytes{};
  if (inet_pton(family, terminated.c_str(), bytes.data()) != 1) return std::nullopt;
  if (family == AF_INET6) return asio::ip::make_address_v6(bytes);
  return asio::ip::make_address_v4(asio::ip::address_v4::bytes_type{bytes[0], bytes[1], bytes[2], bytes[3]});
}

// The next word of a line of words with one space between them.
std::string_view take_word(std::string_view& line) {
  const auto space = line.find(' ');
  const auto word = line.substr(0, space);
  line.remove_prefix(space == std::string_view::npos ? line.size() : space + 1);
  return word;
}

// "TCP4 192.0.2.1 198.51.100.1 56324 443"
std::optional<ProxiedConnection> parse_words(std::string_view line) {
  const std::string_view protocol = take_word(line);
  if (protocol != "TCP4" && protocol != "TCP6") return std::nullopt;
  const int family = protocol == "TCP4" ? AF_INET : AF_INET6;
  const auto client = parse_address(take_word(line), family);
  const auto server = parse_address(take_word(line), family);
  const auto client_port = parse_port(take_word(line));
  const auto server_port = parse_port(line);
  if (!client || !server || !client_port || !server_port) return std::nullopt;
  return ProxiedConnection{{*client, *client_port}, {*server, *server_port}};
}

ProxyHeader parse_version_1(std::string_view bytes) {
  const auto end = bytes.substr(0, kMostVersion1).find("\r\n");
  if (end == std::string_view::npos)
    return bytes.size() < kMostVersion1 ? ProxyHeader{} : bad("a line of more than 107 bytes");
  const std::string_view line = bytes.substr(kVersion1.size(), end - kVersion1.size());
  ProxyHeader header{ProxyHeader::State::complete, end + 2};
  // What follows this word is to be ignored.
  if (line == "UNKNOWN" || line.starts_with("UNKNOWN ")) return header;
  header.connection = parse_words(line);
  return header.connection ? header : bad("a line of version 1 that is none");
}

// Over all of the header, with zeros where it stands.
bool is_checksum(std::string_view header, std::size_t at) {
  boost::crc_optimal<32, 0x1EDC6F41, 0xFFFFFFFF, 0xFFFFFFFF, true, true> crc;
  constexpr std::array<char, 4> kZeros{};
  crc.process_bytes(header.data(), at);
  crc.process_bytes(kZeros.data(), kZeros.size());
  crc.process_bytes(header.data() + at + kZeros.size(), header.size() - at - kZeros.size());
  const std::uint32_t stated =
      (static_cast<std::uint32_t>(number_at(header, at)) << 16U) | number_at(header, at + 2);
  return crc.checksum() == stated;
}

// Section 2.2, "TLV"; the reason if they are wrong.
std::string_view refuse_tlvs(std::string_view header, std::size_t at) {
  bool checked = false;
  while (at < header.size()) {
    if (header.size() - at < kTlvHeader) return "a TLV that is cut off";
    const std::uint8_t type = byte_at(header, at);
    const std::size_t size = number_at(header, at + 1);
    at += kTlvHeader;
    if (header.size() - at < size) return "a TLV that is cut off";
    if (type == kCrc32c) {
      if (size != 4 || checked) return "a checksum of another size, or twice";
      if (!is_checksum(header, at)) return "a checksum (PP2_TYPE_CRC32C) that is wrong";
      checked = true;
    }
    at += size;
  }
  return {};
}

template <typename Address>
Address address_at(std::string_view bytes, std::size_t at) {
  typename Address::bytes_type address;
  std::transform(bytes.begin() + static_cast<std::ptrdiff_t>(at),
                 bytes.begin() + static_cast<std::ptrdiff_t>(at + address.size()), address.begin(),
                 [](char c) { return static_cast<unsigned char>(c); });
  return Address(address);
}

template <typename Address>
ProxiedConnection connection_at(std::string_view bytes) {
  constexpr std::size_t kSize = std::tuple_size_v<typename Address::bytes_type>;
  return {{address_at<Address>(bytes, kFixedPart), number_at(bytes, kFixedPart + 2 * kSize)},
          {address_at<Address>(bytes, kFixedPart + kSize), number_at(bytes, kFixedPart + 2 * kSize + 2)}};
}

ProxyHeader parse_version_2(std::string_view bytes) {
  if (bytes.size() < kFixedPart) return {};
  const std::uint8_t command = byte_at(bytes, 12);
  if (command != kLocal && command != kProxy) return bad("another version or command than LOCAL and PROXY");
  const std::size_t size = kFixedPart + number_at(bytes, 14);
  if (size > kMostProxyHeader) return bad("more than 536 bytes");
  if (bytes.size() < size) return {};
  const std::string_view all = bytes.substr(0, size);
  const auto* const family = std::ranges::find(kFamilies, byte_at(bytes, 13), &Family::code);
  ProxyHeader header{ProxyHeader::State::complete, size};
  if (family == kFamilies.end() || kFixedPart + family->addresses > size) {
    // Of LOCAL the family is ignored, and so is what follows it.
    return command == kLocal ? header : bad("an address family that is none of a connection, or is cut off");
  }
  if (const auto reason = refuse_tlvs(all, kFixedPart + family->addresses); !reason.empty())
    return bad(reason);
  if (command == kLocal) return header;
  if (family->code == kTcpOverIpv4) header.connection = connection_at<asio::ip::address_v4>(all);
  if (family->code == kTcpOverIpv6) header.connection = connection_at<asio::ip::address_v6>(all);
  return header;
}

bool may_become(std::string_view bytes, std::string_view beginning) {
  const std::size_t size = std::min(bytes.size(), beginning.size());
  return bytes.substr(0, size) == beginning.substr(0, size);
}

}  // namespace

ProxyHeader parse_proxy_header(std::string_view bytes) {
  if (bytes.starts_with(kProxySignature)) return parse_version_2(bytes);
  if (bytes.starts_with(kVersion1)) return parse_version_1(bytes);
  if (may_become(bytes, kProxySignature) || may_become(bytes, kVersion1)) return {};
  return bad("no header of the PROXY protocol");
}

}  // namespace keystay::tlsd
