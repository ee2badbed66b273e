#include "native/config/remote_reader.h"

#include <algorithm>
#include <array>
#include <string>

#include "native/config/pin_source.h"

namespace keystay::config {
namespace {

using namespace std::chrono_literals;

constexpr IntegerRange kLanes{1, 32};
constexpr DurationRange kLimit{10ms, 10min};
constexpr std::array<std::string_view, 10> kRemoteKeys = {"ca",     "certificate",     "key",
                                                          "pkcs12", "pkcs12-password", "host",
                                                          "lanes",  "connect-timeout", "response-timeout",
                                                          "relay"};

void refuse_what_needs_endpoints(const TableReader& token) {
  for (const std::string_view key : kRemoteKeys) {
    if (token.has(key))
      token.fail(key,
                 "means nothing without endpoints = [\"hsm.example:4442\"], which put the token on "
                 "another machine");
  }
}

void refuse_what_is_there(const TableReader& token) {
  for (const std::string_view key : {"module", "module-arguments"}) {
    if (token.has(key))
      token.fail(key,
                 "the module of a token on another machine is configured there; remove the key, or "
                 "endpoints for a module of this machine");
  }
}

std::vector<RemoteEndpoint> endpoints(const TableReader& token) {
  std::vector<RemoteEndpoint> result;
  for (const std::string& text : token.required_texts("endpoints", "[\"hsm.example:4442\"]")) {
    const auto endpoint = parse_remote_endpoint(text);
    if (!endpoint) {
      token.fail("endpoints",
                 "expected a name or an address and a port like \"hsm.example:4442\" or "
                 "\"[2001:db8::7]:4442\", or a "
                 "socket like \"unix:/run/p11-kit.sock\", got \"" +
                     text + "\"");
    }
    if (std::ranges::count(result, *endpoint) > 0)
      token.fail("endpoints", "\"" + text + "\" stands here twice");
    result.push_back(*endpoint);
    if (endpoint->socket.empty() != result.front().socket.empty())
      token.fail("endpoints", "either all are sockets of this machine, or none is");
  }
  return result;
}

std::filesystem::path file(const TableReader& token, std::string_view key, const std::string& example) {
  const std::string path = token.required_text(key, "\"" + example + "\"");
  if (!path.starts_with('/') || path.find('\n') != path.npos)
    token.fail(key, std::string("expected the absolute path of a ") + (key == "pkcs12" ? "PKCS #12" : "PEM") +
                        " file like \"" + example + "\", got \"" + path + "\"");
  return path;
}

// The text is not repeated in the message: it may be the password itself.
std::string pkcs12_password(const TableReader& token) {
  const std::string source = token.text("pkcs12-password").value_or("");
  if (!is_password_source(source) || (source.empty() && token.has("pkcs12-password"))) {
    token.fail("pkcs12-password", "this names no place of a password (is it the password itself?); write " +
                                      std::string(kPasswordSourceForms) +
                                      ", or leave it out for a file without one");
  }
  return source;
}

// Our certificate and its key: in one file of PKCS #12, or in two of PEM.
void read_identity(const TableReader& token, RemoteSettings& remote) {
  if (token.has("pkcs12")) {
    for (const std::string_view key : {"certificate", "key"}) {
      if (token.has(key))
        token.fail(key, "pkcs12 has the certificate and its key already; remove this key, or pkcs12");
    }
    remote.pkcs12 = file(token, "pkcs12", "/etc/keystay/client.p12");
    remote.pkcs12_password = pkcs12_password(token);
    return;
  }
  if (token.has("pkcs12-password"))
    token.fail("pkcs12-password", "the password of which file? write pkcs12 = \"/etc/keystay/client.p12\"");
  if (!token.has("certificate") && !token.has("key"))
    token.fail("certificate",
               "missing; write certificate = \"/etc/keystay/client.pem\" and key = "
               "\"/etc/keystay/client-key.pem\", or pkcs12 = \"/etc/keystay/client.p12\" that has both");
  remote.certificate = file(token, "certificate", "/etc/keystay/client.pem");
  remote.key = file(token, "key", "/etc/keystay/client-key.pem");
}

std::string host(const TableReader& token) {
  std::string name = token.text("host").value_or("");
  const auto is_part = [](unsigned char c) { return c > ' ' && c < 0x7F; };
  if (token.has("host") && (name.empty() || !std::ranges::all_of(name, is_part)))
    token.fail("host",
               "expected a name or an address as the endpoint's certificate has it, like \"hsm.example\"");
  return name;
}

void refuse_tls(const TableReader& token) {
  for (const std::string_view key :
       {"ca", "certificate", "key", "pkcs12", "pkcs12-password", "host", "relay"}) {
    if (token.has(key))
      token.fail(key,
                 "a socket of this machine has no TLS; remove the key, or name another machine's endpoint");
  }
}

void read_tls(const TableReader& token, RemoteSettings& remote) {
  remote.ca = file(token, "ca", "/etc/keystay/hsm-ca.pem");
  read_identity(token, remote);
  remote.host = host(token);
  remote.relay = token.text("relay").value_or(default_relay().string());
  if (!remote.relay.is_absolute())
    token.fail("relay", "expected the absolute path of keystay-relay, got \"" + remote.relay.string() + "\"");
}

}  // namespace

std::optional<RemoteSettings> read_remote(const TableReader& token, std::chrono::milliseconds timeout) {
  if (!token.has("endpoints")) {
    refuse_what_needs_endpoints(token);
    return std::nullopt;
  }
  refuse_what_is_there(token);
  RemoteSettings remote;
  remote.endpoints = endpoints(token);
  if (remote.is_local()) refuse_tls(token);
  if (!remote.is_local()) read_tls(token, remote);
  remote.lanes = static_cast<std::size_t>(
      token.integer("lanes", kLanes).value_or(static_cast<std::int64_t>(remote.lanes)));
  remote.connect_timeout = token.duration("connect-timeout", kLimit).value_or(remote.connect_timeout);
  // A second try has room in the time of an operation.
  remote.response_timeout = token.duration("response-timeout", kLimit).value_or(timeout / 2);
  if (remote.response_timeout > timeout)
    token.fail("response-timeout", "is longer than timeout, the time of a whole operation");
  return remote;
}

}  // namespace keystay::config
