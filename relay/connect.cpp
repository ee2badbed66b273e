#include "relay/connect.h"

#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>

#include <boost/asio/read.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/write.hpp>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "native/remote/rpc_message.h"
#include "relay/client_context.h"
#include "relay/time_limit.h"

namespace keystay::relay {
namespace {

// p11-kit's protocol, of which the server answers the lower of its own version and this.
constexpr auto kNewestVersion = static_cast<unsigned char>(remote::kNewestVersion);

using Deadline = std::chrono::steady_clock::time_point;

// One attempt: a step that fails throws a sentence that says which, and why.
class Failed : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

std::string host_of(const config::RemoteSettings& settings, const config::RemoteEndpoint& endpoint) {
  return settings.host.empty() ? endpoint.host : settings.host;
}

std::string names_of(X509* certificate) {
  std::string names;
  auto* alternatives =
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr));
  for (int i = 0; i < sk_GENERAL_NAME_num(alternatives); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(alternatives, i);
    if (name->type != GEN_DNS) continue;
    const ASN1_STRING* text = name->d.dNSName;
    names +=
        (names.empty() ? "" : ", ") + std::string(reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
                                                  static_cast<std::size_t>(ASN1_STRING_length(text)));
  }
  GENERAL_NAMES_free(alternatives);
  return names.empty() ? "no DNS name" : names;
}

// The name that the endpoint's certificate must have, and those that it had.
struct Expected {
  std::string host;
  std::shared_ptr<std::string> names = std::make_shared<std::string>();
};

bool is_alert(const error_code& error) { return error.message().find("alert") != std::string::npos; }

// Of a handshake, or of the first bytes after one: TLS 1.3 tells only then what the endpoint says to our
// certificate.
std::string tls_failure(Tls& tls, const error_code& error, const config::RemoteSettings& settings,
                        const Expected& expected) {
  const long result = SSL_get_verify_result(tls.native_handle());
  if (result == X509_V_ERR_HOSTNAME_MISMATCH || result == X509_V_ERR_IP_ADDRESS_MISMATCH)
    return "TLS: the endpoint's certificate is for " + *expected.names + ", and not for " + expected.host +
           " (host)";
  if (result != X509_V_OK) {
    return std::string("TLS: the endpoint's certificate is refused: ") +
           X509_verify_cert_error_string(result) + " (ca = " + settings.ca.string() + ")";
  }
  const std::string reason = error.message();
  if (is_alert(error)) {
    const auto& file = settings.pkcs12.empty() ? settings.certificate : settings.pkcs12;
    return "TLS: the endpoint refuses our certificate (" + file.string() + "): " + reason +
           "; its log says why";
  }
  if (error == asio::ssl::error::stream_truncated || error == asio::error::eof)
    return "TLS: the endpoint closed the connection; does it speak TLS, and does it allow our address?";
  return "TLS: " + reason;
}

void prepare(tcp::socket& socket) {
  error_code ignored;
  socket.set_option(tcp::no_delay(true), ignored);
  socket.set_option(asio::socket_base::keep_alive(true), ignored);
  const auto set = [&](int option, int value) {
    ::setsockopt(socket.native_handle(), IPPROTO_TCP, option, &value, sizeof value);
  };
  set(TCP_KEEPIDLE, 30);  // seconds
  set(TCP_KEEPINTVL, 10);
  set(TCP_KEEPCNT, 3);
}

// RFC 6125: the name, or the address, that the certificate must have.
void expect_host(Tls& tls, const Expected& wanted) {
  // libssl forgets a certificate that it refuses.
  tls.set_verify_callback([names = wanted.names](bool good, asio::ssl::verify_context& context) {
    X509_STORE_CTX* chain = context.native_handle();
    if (X509_STORE_CTX_get_error_depth(chain) == 0) *names = names_of(X509_STORE_CTX_get_current_cert(chain));
    return good;
  });
  SSL* ssl = tls.native_handle();
  const std::string& host = wanted.host;
  X509_VERIFY_PARAM* expected = SSL_get0_param(ssl);
  if (X509_VERIFY_PARAM_set1_ip_asc(expected, host.c_str()) == 1) return;
  ERR_clear_error();
  X509_VERIFY_PARAM_set_hostflags(expected, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  if (X509_VERIFY_PARAM_set1_host(expected, host.c_str(), 0) != 1)
    throw Failed("TLS: no certificate can be for " + host + " (host)");
  // SSL_set_tlsext_host_name, whose cast is one of C.
  SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, const_cast<char*>(host.c_str()));
}

// By getaddrinfo(3), which asks silent name servers for longer than anybody waits here, and which nothing
// ends: its answer is dropped then.
awaitable<tcp::resolver::results_type> resolve(const config::RemoteEndpoint& endpoint,
                                               std::chrono::milliseconds limit) {
  const std::string port = std::to_string(endpoint.port);
  error_code no_literal;
  if (const auto literal = asio::ip::make_address(endpoint.host, no_literal); !no_literal)
    co_return tcp::resolver::results_type::create(tcp::endpoint(literal, endpoint.port), endpoint.host, port);
  struct Resolution {
    Resolution(const asio::any_io_executor& executor, std::chrono::milliseconds time)
        : resolver(executor), ended(executor, time) {}
    tcp::resolver resolver;
    asio::steady_timer ended;
    std::optional<error_code> error;
    tcp::resolver::results_type addresses;
  };
  const auto resolution = std::make_shared<Resolution>(co_await asio::this_coro::executor, limit);
  resolution->resolver.async_resolve(
      endpoint.host, port, [resolution](const error_code& error, tcp::resolver::results_type addresses) {
        resolution->error = error;
        resolution->addresses = std::move(addresses);
        resolution->ended.cancel();
      });
  static_cast<void>(co_await resolution->ended.async_wait(kOutcome));
  if (!resolution->error) throw Failed("name resolution: no answer within connect-timeout");
  if (*resolution->error) {
    throw Failed("name resolution: " + resolution->error->message() +
                 " (is the name right, and known to this machine? getent hosts " + endpoint.host + ")");
  }
  co_return std::move(resolution->addresses);
}

[[nodiscard]] std::chrono::milliseconds left_until(Deadline deadline) {
  return std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
}

// Each address has an equal share of what time is left.
awaitable<void> connect_tcp(tcp::socket& socket, const tcp::resolver::results_type& addresses,
                            Deadline deadline) {
  error_code last = asio::error::host_not_found;
  auto untried = static_cast<std::chrono::milliseconds::rep>(addresses.size());
  for (const auto& address : addresses) {
    error_code ignored;
    socket.close(ignored);
    const TimeLimit time(socket.get_executor(), left_until(deadline) / untried--, [&socket] {
      error_code ended;
      socket.close(ended);
    });
    const auto [error] = co_await socket.async_connect(address.endpoint(), kOutcome);
    if (!error && !time.expired()) {
      prepare(socket);
      co_return;
    }
    last = time.expired() ? error_code(asio::error::timed_out) : error;
  }
  throw Failed("TCP: " + last.message() +
               (last == asio::error::connection_refused
                    ? " (does keystay-tlsd run there, and listen on this port?)"
                    : " (is the address right, and does a firewall let us through?)"));
}

awaitable<int> greet(Tls& tls, const config::RemoteSettings& settings, const Expected& expected) {
  unsigned char version = kNewestVersion;
  const auto [write_error, written] = co_await asio::async_write(tls, asio::buffer(&version, 1), kOutcome);
  // An endpoint that refuses our certificate may have closed the connection before this; its alert can be
  // read all the same.
  const auto [error, size] = co_await asio::async_read(tls, asio::buffer(&version, 1), kOutcome);
  if (error && write_error && !is_alert(error))
    throw Failed(tls_failure(tls, write_error, settings, expected));
  if (error == asio::error::eof || error == asio::ssl::error::stream_truncated ||
      error == asio::error::connection_reset)
    throw Failed(
        "p11-kit: the endpoint takes our certificate, and then closes the connection; does `p11-kit "
        "server` run behind it?");
  if (error) throw Failed(tls_failure(tls, error, settings, expected));
  if (version > kNewestVersion) throw Failed("p11-kit: what answers there does not speak its protocol");
  co_return version;
}

// All of it within connect-timeout: the process that asked waits for the sum of its endpoints, and no longer.
awaitable<Reached> connect_to(const config::RemoteEndpoint& endpoint, const config::RemoteSettings& settings,
                              asio::ssl::context& context) {
  const Deadline deadline = std::chrono::steady_clock::now() + settings.connect_timeout;
  const auto addresses = co_await resolve(endpoint, settings.connect_timeout);
  Reached reached;
  reached.tls = std::make_unique<Tls>(co_await asio::this_coro::executor, context);
  Tls& tls = *reached.tls;
  co_await connect_tcp(tls.next_layer(), addresses, deadline);
  const Expected expected{host_of(settings, endpoint)};
  expect_host(tls, expected);
  const TimeLimit time(tls.get_executor(), left_until(deadline), [&tls] {
    error_code ignored;
    tls.next_layer().close(ignored);
  });
  std::string step = "TLS";
  std::string failure;
  try {
    const auto [error] = co_await tls.async_handshake(asio::ssl::stream_base::client, kOutcome);
    if (error) throw Failed(tls_failure(tls, error, settings, expected));
    step = "p11-kit";
    reached.version = co_await greet(tls, settings, expected);
  } catch (const Failed& error) {
    failure = time.expired() ? step + ": no answer within connect-timeout" : error.what();
  }
  if (!failure.empty()) throw Failed(failure);
  reached.endpoint = config::format_remote_endpoint(endpoint);
  co_return reached;
}

}  // namespace

awaitable<Reached> connect(const config::RemoteSettings& settings, const pkcs11::Pin& password) {
  std::string failures;
  try {
    asio::ssl::context context = client_context(settings, password);
    for (const config::RemoteEndpoint& endpoint : settings.endpoints) {
      try {
        co_return co_await connect_to(endpoint, settings, context);
      } catch (const std::exception& error) {
        failures += (failures.empty() ? "" : ", and ") + config::format_remote_endpoint(endpoint) +
                    " cannot be used: " + error.what();
      }
    }
  } catch (const std::exception& error) {
    failures = error.what();
  }
  Reached none;
  none.endpoint = failures;
  co_return none;
}

}  // namespace keystay::relay
