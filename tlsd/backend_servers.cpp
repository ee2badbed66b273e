#include "tlsd/backend_servers.h"

#include <algorithm>
#include <cerrno>
#include <stdexcept>
#include <system_error>

#include <boost/asio/local/stream_protocol.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <netdb.h>
#include <spdlog/spdlog.h>

#include "tlsd/accept/listening_socket.h"

namespace keystay::tlsd {
namespace {

struct FreeAddresses {
  void operator()(addrinfo* list) const noexcept { ::freeaddrinfo(list); }
};

asio::ip::address address_of(const sockaddr& address) {
  if (address.sa_family == AF_INET6) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address);
    asio::ip::address_v6::bytes_type bytes;
    std::copy_n(v6.sin6_addr.s6_addr, bytes.size(), bytes.begin());
    return asio::ip::address_v6(bytes, v6.sin6_scope_id);
  }
  return asio::ip::address_v4(ntohl(reinterpret_cast<const sockaddr_in&>(address).sin_addr.s_addr));
}

// Sorted, since a name server may turn them from answer to answer. Throws std::runtime_error with the
// resolver's reason.
std::vector<asio::ip::address> addresses_of(const std::string& host) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_ADDRCONFIG;
  addrinfo* list = nullptr;
  int error = ::getaddrinfo(host.c_str(), nullptr, &hints, &list);
  if (error != 0) {  // on a machine that has but its loopback interface, no address counts with that flag
    hints.ai_flags = 0;
    error = ::getaddrinfo(host.c_str(), nullptr, &hints, &list);
  }
  const int system_error = errno;
  const std::unique_ptr<addrinfo, FreeAddresses> owner(list);
  if (error == EAI_SYSTEM) throw std::runtime_error(std::generic_category().message(system_error));
  if (error != 0) throw std::runtime_error(::gai_strerror(error));
  std::vector<asio::ip::address> result;
  for (const addrinfo* entry = list; entry != nullptr; entry = entry->ai_next) {
    if (entry->ai_family == AF_INET || entry->ai_family == AF_INET6)
      result.push_back(address_of(*entry->ai_addr));
  }
  std::ranges::sort(result);
  const auto repeated = std::ranges::unique(result);
  result.erase(repeated.begin(), repeated.end());
  if (result.empty()) throw std::runtime_error("it has no address");
  return result;
}

std::string text(const std::vector<asio::ip::address>& addresses) {
  std::vector<std::string> texts;
  for (const auto& address : addresses) texts.push_back(address.to_string());
  return fmt::format("{}", fmt::join(texts, ", "));
}

}  // namespace

BackendServers::BackendServers(std::string name, config::BackendSettings settings, Metrics& metrics,
                               std::unique_ptr<const BackendTls> tls)
    : name_(std::move(name)),
      settings_(std::move(settings)),
      metrics_(metrics),
      requests_(metrics.backend(name_)),
      tls_(std::move(tls)) {}

bool BackendServers::has_names() const noexcept {
  return std::ranges::any_of(settings_.servers, [](const auto& server) { return server.name() != nullptr; });
}

void BackendServers::resolve() {
  const std::scoped_lock one_at_a_time(resolving_);
  std::vector<ServerPlace> places;
  std::string failure;
  for (const config::ServerAddress& server : settings_.servers) {
    if (const std::string* path = server.socket()) {
      places.push_back(place(asio::local::stream_protocol::endpoint(*path), server.text(), server.text()));
    } else if (const config::Endpoint* literal = server.endpoint()) {
      places.push_back(place(to_tcp(*literal), server.text(), server.text()));
    } else {
      try {
        for (const asio::ip::address& address : look_up(server.name()->host)) {
          places.push_back(place(tcp::endpoint(address, server.port()), server.text(),
                                 fmt::format("{} ({})", server.text(), address.to_string())));
        }
      } catch (const std::runtime_error& error) {
        failure = fmt::format(
            "backend {}: server {} cannot be resolved: {}; write its address, or see what "
            "`getent ahosts {}` says",
            name_, server.text(), error.what(), server.name()->host);
      }
    }
  }
  {
    const std::scoped_lock lock(mutex_);
    const bool same = std::ranges::equal(places, places_, {}, &ServerPlace::state, &ServerPlace::state);
    places_.swap(places);
    if (!same) version_.fetch_add(1, std::memory_order_release);
  }
  if (!failure.empty()) throw std::runtime_error(failure);
}

// Throws only for a name that has never had an address.
const BackendServers::Addresses& BackendServers::look_up(const std::string& host) {
  LookUp& last = found_[host];
  try {
    Addresses fresh = addresses_of(host);
    if (last.failing) spdlog::info("backend {}: {} is resolved again", name_, host);
    if (!last.addresses.empty() && fresh != last.addresses)
      spdlog::info("backend {}: {} has other addresses: {}", name_, host, text(fresh));
    last = {std::move(fresh), false};
  } catch (const std::runtime_error& error) {
    const bool failed_before = std::exchange(last.failing, true);
    if (last.addresses.empty()) throw;
    if (!failed_before) {
      spdlog::warn("backend {}: {} is no longer resolved: {}; its last addresses are kept: {}", name_, host,
                   error.what(), text(last.addresses));
    }
  }
  return last.addresses;
}

ServerPlace BackendServers::place(asio::generic::stream_protocol::endpoint endpoint, std::string host,
                                  std::string name) {
  auto state = metrics_.backend_server(name_, name);
  return {std::move(endpoint), std::move(host), std::move(name), std::move(state)};
}

std::vector<ServerPlace> BackendServers::places() const {
  const std::scoped_lock lock(mutex_);
  return places_;
}

}  // namespace keystay::tlsd
