#include "tlsd/tls/backend_tls.h"

#include <cerrno>
#include <exception>
#include <system_error>

#include <boost/asio/ip/address.hpp>
#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include "tlsd/tls/openssl_error.h"

namespace keystay::tlsd {
namespace {

// Where an SSL keeps a pointer to the std::string that gets the refusal.
int refusal_index() {
  static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}

std::string subject_of(const X509* certificate) {
  char text[256];
  X509_NAME_oneline(X509_get_subject_name(certificate), text, sizeof text);
  std::string subject(text);
  for (char& c : subject) {
    if (c < ' ' || c == 0x7F) c = '?';
  }
  return subject;
}

// Of SSL_CTX_set_verify: keeps the first reason, and changes nothing. No exception may leave it into libssl.
int keep_reason(int accepted, X509_STORE_CTX* store) noexcept {
  if (accepted == 1) return accepted;
  const auto* ssl =
      static_cast<const SSL*>(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
  auto* refusal = static_cast<std::string*>(SSL_get_ex_data(ssl, refusal_index()));
  if (refusal == nullptr || !refusal->empty()) return accepted;
  try {
    const X509* certificate = X509_STORE_CTX_get_current_cert(store);
    *refusal = fmt::format(
        "{} \"{}\" is not accepted: {}",
        X509_STORE_CTX_get_error_depth(store) == 0 ? "its certificate" : "its issuer's certificate",
        certificate != nullptr ? subject_of(certificate) : "?",
        X509_verify_cert_error_string(X509_STORE_CTX_get_error(store)));
  } catch (const std::exception&) {
    // Without memory libssl's own words must do.
  }
  return accepted;
}

// "app.example" of "app.example:8443", "::1" of "[::1]:8443".
std::string host_of(const std::string& server) {
  if (server.starts_with('[')) return server.substr(1, server.find(']') - 1);
  return server.substr(0, server.rfind(':'));
}

bool is_address(const std::string& name) {
  boost::system::error_code error;
  boost::asio::ip::make_address(name, error);
  return !error;
}

void require_file(const std::string& what, const std::string& file) {
  if (::access(file.c_str(), R_OK) != 0)
    throw CryptoError(what + ": cannot read " + file + ": " + std::generic_category().message(errno));
}

}  // namespace

BackendTls::BackendTls(OSSL_LIB_CTX* library, std::string backend, const config::BackendTls& settings)
    : library_(library),
      backend_(std::move(backend)),
      name_(settings.name),
      context_(SSL_CTX_new_ex(library, nullptr, TLS_client_method())) {
  ERR_clear_error();
  if (!context_ || SSL_CTX_set_min_proto_version(context_.get(), TLS1_2_VERSION) != 1)
    throw openssl_error("backend " + backend_ + ": SSL_CTX_new");
  SSL_CTX_set_options(context_.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_mode(context_.get(), SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                       SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_read_ahead(context_.get(), 1);
  SSL_CTX_set_session_cache_mode(context_.get(), SSL_SESS_CACHE_OFF);  // each thread keeps one per server
  SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER, &keep_reason);
  use_authorities(settings.ca);
  if (!settings.certificate.empty()) use_certificate(settings);
}

void BackendTls::use_authorities(const std::string& file) {
  const std::string what = "backend " + backend_ + ": tls.ca";
  if (file.empty()) {
    if (SSL_CTX_set_default_verify_paths(context_.get()) != 1)
      throw openssl_error(what + ": the system's authorities cannot be read; name a file of your own");
    return;
  }
  require_file(what, file);
  if (SSL_CTX_load_verify_file(context_.get(), file.c_str()) != 1)
    throw openssl_error(what + ": there is no certificate of an authority in " + file);
}

void BackendTls::use_certificate(const config::BackendTls& settings) {
  const std::string what = "backend " + backend_ + ": tls.certificate";
  if (settings.key.empty()) {
    certificate_ = load_certificate(library_, settings.certificate);
    if (SSL_CTX_use_cert_and_key(context_.get(), certificate_->leaf.get(), certificate_->key.get(),
                                 certificate_->chain.get(), 1) != 1)
      throw openssl_error(what + ": TLS cannot use \"" + settings.certificate + "\"");
    return;
  }
  require_file(what, settings.certificate);
  require_file("backend " + backend_ + ": tls.key", settings.key);
  if (SSL_CTX_use_certificate_chain_file(context_.get(), settings.certificate.c_str()) != 1)
    throw openssl_error(what + ": there is no certificate in " + settings.certificate);
  if (SSL_CTX_use_PrivateKey_file(context_.get(), settings.key.c_str(), SSL_FILETYPE_PEM) != 1)
    throw openssl_error("backend " + backend_ + ": tls.key: " + settings.key + " has no private key for " +
                        settings.certificate);
}

// RFC 6066, section 3: an address is no server name. RFC 6125, section 6.4: nor does a wildcard stand for
// parts of a label.
SslHandle BackendTls::new_connection(const std::string& host, SSL_SESSION* session,
                                     std::string& refusal) const {
  ERR_clear_error();
  SslHandle ssl(SSL_new(context_.get()));
  if (!ssl) throw openssl_error("SSL_new");
  const std::string name = name_.empty() ? host_of(host) : name_;
  if (is_address(name)) {
    if (X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl.get()), name.c_str()) != 1)
      throw openssl_error("X509_VERIFY_PARAM_set1_ip_asc");
  } else {
    SSL_set_hostflags(ssl.get(), X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    if (SSL_set1_host(ssl.get(), name.c_str()) != 1 ||
        SSL_ctrl(ssl.get(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
                 const_cast<char*>(name.c_str())) != 1)
      throw openssl_error("SSL_set1_host");
  }
  if (SSL_set_ex_data(ssl.get(), refusal_index(), &refusal) != 1) throw openssl_error("SSL_set_ex_data");
  if (session != nullptr) SSL_set_session(ssl.get(), session);
  SSL_set_connect_state(ssl.get());
  return ssl;
}

}  // namespace keystay::tlsd
