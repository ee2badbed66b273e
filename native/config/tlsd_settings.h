// [tlsd] and [[tlsd.listener]] of keystay.toml as plain structs.
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "native/config/access_log_settings.h"
#include "native/config/address_range.h"
#include "native/config/endpoint.h"
#include "native/config/request_sizes.h"
#include "native/config/server_address.h"
#include "native/config/ticket_settings.h"
#include "native/config/tls_settings.h"

namespace keystay::config {

// What is inside the TLS of a listener.
enum class ListenerMode {
  http,  // HTTP/2 and HTTP/1.1, by a reverse proxy that reads them
  tcp,   // any protocol, whose bytes are passed on as they are
};

// The header about the client that a server gets in front of the client's bytes.
enum class SendProxy {
  none,
  v2,  // the header of the PROXY protocol, version 2
};

// Which of the servers of a backend gets the next request, or connection of mode tcp.
enum class Balance {
  round_robin,
  least_connections,  // that with the fewest in flight
};

// How it is found out whether a server works, besides by using it.
struct HealthCheck {
  std::string path;  // GET of it must be answered with 2xx or 3xx; empty: a connection suffices
  std::chrono::milliseconds interval{2000};
  std::chrono::milliseconds timeout{1000};
  unsigned rise = 2;  // good checks in a row, after which a server is in service again
  unsigned fall = 3;  // bad ones, after which it is not

  bool operator==(const HealthCheck&) const = default;
};

// TLS to the servers of a backend.
struct BackendTls {
  std::string ca;           // PEM file of the authorities whose certificates are taken; empty: the system's
  std::string name;         // that the servers' certificates must have; empty: the host in `servers`
  std::string certificate;  // to show: alias, key URI or PEM file; empty: none
  std::string key;          // PEM file of its private key; empty: where the certificate is

  bool operator==(const BackendTls&) const = default;
};

// [[tlsd.listener.route]]: requests of mode http for this host and path, or connections of mode tcp with this
// server name (SNI), go to this backend.
struct Route {
  std::string host;  // "a.example", or "*.example" for one label in front; lower case; empty: any
  std::string path;  // the beginning, in whole segments: "/api" is of "/api" and "/api/x"; empty: any
  std::string backend;

  bool operator==(const Route&) const = default;
};

inline constexpr std::chrono::milliseconds kTcpIdleTimeout{600000};  // of mode tcp, where none is given

// Who may connect, by the certificate that a client is asked for (RFC 8446, section 4.3.2).
struct ClientCertificates {
  std::string ca;                  // PEM file of the authorities whose certificates are taken
  std::vector<std::string> names;  // of clients; empty: every certificate of these authorities
  std::string crl = {};            // PEM file with CRLs of the authorities; empty: none is asked
  bool required = true;            // otherwise a client may also connect without one
};

// The protocol whose clients ask for TLS in clear first.
enum class StartTls {
  none,
  smtp,        // RFC 3207
  imap,        // RFC 9051, section 6.2.1
  pop3,        // RFC 2595, section 4
  ldap,        // RFC 4511, section 4.14
  postgresql,  // SSLRequest, of the PostgreSQL frontend/backend protocol
};

// Of a listener that speaks HTTP in clear, and sends its clients to https.
struct Redirect {
  std::uint16_t port = 443;  // that clients are sent to
};

// The peers of a listener that are proxies: they begin each connection with a header of the PROXY protocol.
struct AcceptProxy {
  std::vector<AddressRange> networks;
  bool sockets = false;  // who connects to a UNIX socket of the listener
};

// [[tlsd.listener]]
struct ListenerSettings {
  std::string name;
  std::vector<Endpoint> bind;
  std::vector<std::string> sockets;  // UNIX sockets, by their paths; with `bind` at least one
  ListenerMode mode = ListenerMode::http;
  std::vector<std::string> certificates;  // aliases or key URIs; the first is served where no name matches
  std::string backend;                    // of what no route takes
  std::vector<Route> routes;
  std::vector<std::string> alpn;  // of mode tcp: protocols that clients may ask for, the preferred first
  bool http2 = true;              // of mode http: offer it besides HTTP/1.1
  std::size_t http2_max_streams = 100;  // requests in flight on a connection of HTTP/2
  TlsSettings tls;
  OcspSettings ocsp;
  std::optional<ClientCertificates> clients;  // absent: no certificate is asked for
  std::vector<AddressRange> allow;            // addresses of clients; empty: all
  std::string health_path;                    // of mode http, as GET /health of admin; empty: none
  std::string error_pages;                    // of mode http: directory with pages like 502.html; empty: none
  AccessLogSettings access_log;               // that of [tlsd], where the listener says nothing
  std::vector<AddressRange> deny;             // but these
  std::optional<Redirect> redirect;    // then there are no certificates, and `backend` may be empty: it is
                                       // where the challenges of ACME go
  StartTls starttls = StartTls::none;  // of mode tcp
  AcceptProxy accept_proxy;
  std::size_t max_connections_per_address = 0;        // 0: no limit
  std::size_t handshakes_per_second_per_address = 0;  // likewise
  std::size_t max_connections = 10000;
  std::chrono::milliseconds handshake_timeout{10000};  // from accept to Finished, the HSM's time included
  std::chrono::milliseconds request_head_timeout{
      30000};  // from the first byte of a request to the end of its head
  std::chrono::milliseconds request_timeout{
      3600000};                                    // from the first byte of a request to the last of its body
  std::chrono::milliseconds stall_timeout{60000};  // without progress in a body, either way
  RequestSizes request_sizes;                      // of mode http
  std::size_t min_body_rate = 0;  // bytes a second that a client sends of a body, or takes, at least; 0: any
  std::chrono::milliseconds idle_timeout{
      60000};  // between requests, and in a tunnel; nothing moves either way
};

// [tlsd.backend.NAME]
struct BackendSettings {
  std::vector<ServerAddress> servers;
  SendProxy send_proxy = SendProxy::none;  // of mode tcp
  Balance balance = Balance::round_robin;
  std::optional<HealthCheck> health_check;
  std::optional<BackendTls> tls;                      // absent: plain
  std::chrono::milliseconds resolve_interval{10000};  // between two look-ups of the servers' names
  std::chrono::milliseconds connect_timeout{5000};    // for each server that is tried
  // From the end of the request to the end of the head of the response, and to the last byte of its body.
  std::chrono::milliseconds response_head_timeout{60000};
  std::chrono::milliseconds response_timeout{24 * 3600000};

  bool operator==(const BackendSettings&) const = default;
};

// What a server does at its start about certificates that cannot be loaded, or whose key cannot sign.
enum class Start {
  complete,  // it does not start
  degraded,  // it starts without them, and goes on trying
};

// [tlsd]
struct TlsdSettings {
  std::size_t threads = 0;  // I/O threads; 0: one per processor
  std::string user;         // that the process becomes; empty: it stays who started it
  std::string group;        // empty: the user's own
  std::optional<Endpoint> admin;
  Start start = Start::complete;
  std::chrono::milliseconds drain_timeout{30000};  // after SIGTERM, before connections are cut
  AccessLogSettings access_log;                    // of listeners that say nothing of theirs
  TicketSettings tickets;
  std::chrono::milliseconds certificate_check{60000};  // how often aliases are looked at; 0: never
  std::vector<ListenerSettings> listeners;
  std::map<std::string, BackendSettings, std::less<>> backends;
};

}  // namespace keystay::config
