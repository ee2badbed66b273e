// A Connection before its TLS: who the client is, whether it may connect, and how it asks for TLS in clear.
#include <algorithm>

#include <fmt/format.h>

#include "tlsd/accept/clear_text.h"
#include "tlsd/accept/connection.h"
#include "tlsd/accept/listening_socket.h"
#include "tlsd/accept/proxy_header.h"
#include "tlsd/starttls/protocol.h"

namespace keystay::tlsd {
namespace {

// No client has a reason for as many before it asks for TLS.
constexpr int kMostCommands = 16;

// Mapped IPv4 addresses (RFC 4291, section 2.5.5.2) and plain ones are the same.
config::AddressBytes bytes_of(const asio::ip::address& address) {
  return (address.is_v6() ? address.to_v6() : asio::ip::make_address_v6(asio::ip::v4_mapped, address.to_v4()))
      .to_bytes();
}

bool is_in(const config::AddressBytes& address, const std::vector<config::AddressRange>& ranges) {
  return std::ranges::any_of(ranges,
                             [&](const config::AddressRange& range) { return range.contains(address); });
}

bool is_proxy(const tcp::endpoint& peer, const config::AcceptProxy& proxies) {
  if (is_unspecified(peer)) return proxies.sockets;
  return !proxies.networks.empty() && is_in(bytes_of(peer.address()), proxies.networks);
}

// What is no header is complete at once, for a closer look.
std::size_t size_of_proxy_header(std::string_view bytes) {
  const ProxyHeader header = parse_proxy_header(bytes);
  switch (header.state) {
    case ProxyHeader::State::incomplete:
      return 0;
    case ProxyHeader::State::complete:
      return header.size;
    case ProxyHeader::State::bad:
      break;
  }
  return bytes.size();
}

}  // namespace

// All of it within handshake-timeout.
awaitable<bool> Connection::open(Clock::time_point end) {
  const config::ListenerSettings& settings = snapshot_->settings;
  const bool behind_proxy = is_proxy(client_, settings.accept_proxy);
  if (!behind_proxy && settings.starttls == config::StartTls::none) co_return admit();

  opening_ = true;
  bool opened = false;
  {
    ClearText clear(stream_.socket(), end);
    if (cut_) cut();
    opened = !behind_proxy || co_await read_proxy_header(clear);
    opened = opened && admit();
    if (opened && settings.starttls != config::StartTls::none) opened = co_await start_tls(clear);
  }
  opening_ = false;
  co_return opened;
}

awaitable<bool> Connection::read_proxy_header(ClearText& clear) {
  const auto bytes = co_await clear.next(size_of_proxy_header, kMostProxyHeader);
  if (!bytes) {
    report_end_in_clear(clear, "no header of the PROXY protocol came within handshake-timeout");
    co_return false;
  }
  const ProxyHeader header = parse_proxy_header(*bytes);
  if (header.state == ProxyHeader::State::bad) {
    report({Handshake::proxy_header, fmt::format("as a proxy (accept-proxy): {}", header.reason)});
    co_return false;
  }
  if (header.connection) {
    client_ = header.connection->client;
    server_ = header.connection->server;
  }
  co_return true;
}

// By its address; those of a UNIX socket have none, and the permissions of its directory are their limit.
bool Connection::admit() {
  const config::ListenerSettings& settings = snapshot_->settings;
  if (is_unspecified(client_)) return true;
  const config::AddressBytes address = bytes_of(client_.address());
  if (is_in(address, settings.deny)) {
    report({Handshake::client_address, "the listener denies the address (deny)"});
    return false;
  }
  if (!settings.allow.empty() && !is_in(address, settings.allow)) {
    report({Handshake::client_address, "the listener does not allow the address (allow)"});
    return false;
  }
  const AddressLimits::Terms terms{settings.max_connections_per_address,
                                   settings.handshakes_per_second_per_address};
  if (terms.connections == 0 && terms.handshakes_per_second == 0) return true;
  switch (listener_.addresses->enter(address, terms, Clock::now(), address_place_)) {
    case AddressLimits::Answer::admitted:
      return true;
    case AddressLimits::Answer::too_many_connections:
      report({Handshake::address_connections,
              fmt::format("max-connections-per-address = {}", terms.connections)});
      return false;
    case AddressLimits::Answer::too_many_handshakes:
      break;
  }
  report({Handshake::address_rate,
          fmt::format("handshakes-per-second-per-address = {}", terms.handshakes_per_second)});
  return false;
}

awaitable<bool> Connection::start_tls(ClearText& clear) {
  const ClearProtocol& protocol = clear_protocol(snapshot_->settings.starttls);
  if (!protocol.greeting.empty()) {
    const bool greeted = co_await clear.write(protocol.greeting);
    if (!greeted) {
      report_end_in_clear(clear, {});
      co_return false;
    }
  }
  if (protocol.direct_tls) {
    constexpr char kHandshakeRecord = 22;  // RFC 8446, section 5.1
    const auto first = co_await clear.first_byte();
    if (first == kHandshakeRecord) co_return true;
  }
  co_return co_await answer_in_clear(clear, protocol);
}

awaitable<bool> Connection::answer_in_clear(ClearText& clear, const ClearProtocol& protocol) {
  for (int i = 0; i < kMostCommands; ++i) {
    const auto message = co_await clear.next(protocol.size_of, ClearText::kMostMessage);
    if (!message) {
      report_end_in_clear(clear, "the client did not ask for TLS within handshake-timeout");
      co_return false;
    }
    const ClearReply reply = protocol.reply(*message);
    if (reply.then == ClearReply::Then::tls && clear.has_more()) {
      report({Handshake::starttls, "bytes in clear behind the request for TLS"});
      co_return false;
    }
    if (reply.then == ClearReply::Then::cancel) {
      cancel_request_ = *message;
      co_return true;
    }
    const bool written = co_await clear.write(reply.text);
    if (!written || reply.then == ClearReply::Then::end) {
      report({Handshake::client_closed, {}});
      co_return false;
    }
    if (reply.then == ClearReply::Then::tls) co_return true;
    if (reply.then == ClearReply::Then::refuse) {
      report({Handshake::starttls, "the client did not ask for TLS"});
      co_await let_alert_be_read();
      co_return false;
    }
  }
  report({Handshake::starttls, "too many commands in clear"});
  co_return false;
}

void Connection::report_end_in_clear(const ClearText& clear, std::string_view missing) {
  if (cut_) return report({Handshake::stopped, {}});
  if (clear.too_large()) return report({Handshake::starttls, "a message in clear that is too long"});
  if (clear.expired()) return report({Handshake::timed_out, fmt::format(": {}", missing)});
  report({Handshake::client_closed, {}});
}

}  // namespace keystay::tlsd
