#include "keystore-tools/server_chain.h"

#include <ctime>
#include <memory>
#include <system_error>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "keystore-tools/failure.h"
#include "native/x509/x509_certificate.h"

namespace keystay::tools {
namespace {

constexpr int kPatience = 30;  // seconds, for connection and handshake
constexpr int kNap = 10;       // milliseconds between two looks

struct FreeSsl {
  void operator()(SSL_CTX* context) const noexcept { SSL_CTX_free(context); }
};
using Context = std::unique_ptr<SSL_CTX, FreeSsl>;

struct Server {
  std::string host;    // without brackets
  std::string target;  // host:port, as BIO_set_conn_hostname takes it
};

Server parse(const std::string& address) {
  const std::size_t bracket = address.rfind(']');
  const std::size_t colon = address.find(':', bracket == std::string::npos ? 0 : bracket);
  const std::string host = address.substr(0, colon);
  const std::string port = colon == std::string::npos ? "443" : address.substr(colon + 1);
  const bool is_port =
      !port.empty() && port.size() <= 5 && port.find_first_not_of("0123456789") == std::string::npos;
  if (host.empty() || !is_port || (bracket == std::string::npos && address.find(':') != address.rfind(':')))
    throw UsageError("-sslserver " + address + ": expected HOST or HOST:PORT, an IPv6 address in brackets");
  const bool in_brackets = host.starts_with('[');
  return {in_brackets ? host.substr(1, host.size() - 2) : host, host + ":" + port};
}

// What the system says stands below what libssl says of it.
std::string reason() {
  const unsigned long first = ERR_peek_error();
  const unsigned long last = ERR_peek_last_error();
  std::string result = "it did not answer in time, or closed the connection";
  if (ERR_SYSTEM_ERROR(first)) {
    result = std::generic_category().message(ERR_GET_REASON(first));
  } else if (const char* text = last != 0 ? ERR_reason_error_string(last) : nullptr) {
    result = text;
  }
  ERR_clear_error();
  return result;
}

// Old servers are looked at as well, so that their certificates can be replaced.
Context client_context() {
  Context context(SSL_CTX_new(TLS_client_method()));
  if (!context || SSL_CTX_set_min_proto_version(context.get(), TLS1_VERSION) != 1)
    throw Failure("cannot start libssl: " + reason());
  SSL_CTX_set_security_level(context.get(), 0);
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_NONE, nullptr);
  return context;
}

// Connection and handshake, until the patience ends.
bool connected(BIO* connection) {
  BIO_set_nbio(connection, 1);
  const std::time_t deadline = std::time(nullptr) + kPatience;
  while (BIO_do_connect(connection) != 1) {
    if (!BIO_should_retry(connection) || std::time(nullptr) >= deadline) return false;
    ERR_clear_error();
    static_cast<void>(BIO_wait(connection, deadline, kNap));
  }
  return true;
}

x509::InputOutput connect(SSL_CTX* context, const Server& server) {
  x509::InputOutput connection(BIO_new_ssl_connect(context));
  SSL* ssl = nullptr;
  if (!connection || BIO_get_ssl(connection.get(), &ssl) != 1 || ssl == nullptr)
    throw Failure("cannot start libssl: " + reason());
  BIO_set_conn_hostname(connection.get(), server.target.c_str());
  // SSL_set_tlsext_host_name, whose macro casts as C does.
  SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
           const_cast<char*>(server.host.c_str()));
  if (!connected(connection.get()))
    throw Failure("no certificate from the TLS server " + server.target + ": " + reason());
  return connection;
}

}  // namespace

std::vector<keys::Certificate> server_chain(const std::string& address) {
  const Server server = parse(address);
  const Context context = client_context();
  const x509::InputOutput connection = connect(context.get(), server);
  SSL* ssl = nullptr;
  BIO_get_ssl(connection.get(), &ssl);
  const STACK_OF(X509)* sent = SSL_get_peer_cert_chain(ssl);
  std::vector<keys::Certificate> chain;
  for (int i = 0; i < sk_X509_num(sent); ++i) chain.push_back(x509::to_certificate(sk_X509_value(sent, i)));
  if (chain.empty()) throw Failure("no certificate from the TLS server " + server.target);
  return chain;
}

}  // namespace keystay::tools
