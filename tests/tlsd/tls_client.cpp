#include "tests/tlsd/tls_client.h"

#include <array>
#include <stdexcept>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

namespace keystay::test {
namespace {

void expect(bool fine, const char* what) {
  if (!fine) throw std::runtime_error(what);
}

std::string first_reason() {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  const char* reason = ERR_reason_error_string(code);
  return reason != nullptr ? reason : "";
}

void use_identity(SSL* ssl, const SoftwareIdentity& identity) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> key(BIO_new_mem_buf(identity.key_pem.c_str(), -1),
                                                      &BIO_free);
  const Openssl<EVP_PKEY> private_key(PEM_read_bio_PrivateKey(key.get(), nullptr, nullptr, nullptr));
  const std::unique_ptr<BIO, decltype(&BIO_free)> chain(BIO_new_mem_buf(identity.chain_pem.c_str(), -1),
                                                        &BIO_free);
  const Openssl<X509> leaf(PEM_read_bio_X509(chain.get(), nullptr, nullptr, nullptr));
  const Openssl<X509> issuer(PEM_read_bio_X509(chain.get(), nullptr, nullptr, nullptr));
  expect(SSL_use_certificate(ssl, leaf.get()) == 1 && SSL_use_PrivateKey(ssl, private_key.get()) == 1 &&
             SSL_add1_chain_cert(ssl, issuer.get()) == 1,
         "the client's certificate");
}

std::unique_ptr<SSL, SslDelete> make_ssl(const TlsClientOptions& options) {
  const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(SSL_CTX_new(TLS_client_method()),
                                                                  &SSL_CTX_free);
  if (options.version != 0) {
    // Versions below 1.2 exist only at security level 0.
    if (options.version < TLS1_2_VERSION) SSL_CTX_set_security_level(context.get(), 0);
    SSL_CTX_set_min_proto_version(context.get(), options.version);
    SSL_CTX_set_max_proto_version(context.get(), options.version);
  }
  if (!options.signature_algorithms.empty()) {
    expect(SSL_CTX_set1_sigalgs_list(context.get(), options.signature_algorithms.c_str()) == 1, "sigalgs");
  }
  std::unique_ptr<SSL, SslDelete> ssl(SSL_new(context.get()));
  if (!options.server_name.empty()) {
    std::string name = options.server_name;
    SSL_ctrl(ssl.get(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, name.data());
  }
  if (!options.protocols.empty()) {
    expect(SSL_set_alpn_protos(ssl.get(), reinterpret_cast<const unsigned char*>(options.protocols.data()),
                               static_cast<unsigned>(options.protocols.size())) == 0,
           "ALPN");
  }
  if (options.identity != nullptr) use_identity(ssl.get(), *options.identity);
  if (options.session != nullptr) SSL_set_session(ssl.get(), options.session);
  SSL_set_connect_state(ssl.get());
  return ssl;
}

}  // namespace

std::string client_hello(const TlsClientOptions& options) {
  const auto ssl = make_ssl(options);
  BIO* sent = BIO_new(BIO_s_mem());
  SSL_set_bio(ssl.get(), BIO_new(BIO_s_mem()), sent);
  SSL_do_handshake(ssl.get());
  ERR_clear_error();
  const char* data = nullptr;
  const long size = BIO_get_mem_data(sent, &data);
  return {data, static_cast<std::size_t>(size)};
}

TlsClient::TlsClient(std::uint16_t port, const TlsClientOptions& options)
    : TlsClient(RawSocket::connect(port), options) {}

TlsClient::TlsClient(RawSocket socket, const TlsClientOptions& options)
    : socket_(std::move(socket)), ssl_(make_ssl(options)) {
  expect(SSL_set_fd(ssl_.get(), socket_.descriptor()) == 1, "SSL_set_fd");
}

bool TlsClient::handshake() {
  ERR_clear_error();
  const bool connected = SSL_connect(ssl_.get()) == 1;
  if (!connected) reason_ = first_reason();
  return connected;
}

bool TlsClient::write(std::string_view data) {
  ERR_clear_error();
  std::size_t written = 0;
  const bool fine = SSL_write_ex(ssl_.get(), data.data(), data.size(), &written) == 1;
  if (!fine) reason_ = first_reason();
  return fine;
}

std::string TlsClient::read_some(std::size_t most) {
  std::string data(most, '\0');
  std::size_t size = 0;
  ERR_clear_error();
  if (SSL_read_ex(ssl_.get(), data.data(), data.size(), &size) != 1) {
    size = 0;
    reason_ = first_reason();
  }
  data.resize(size);
  return data;
}

bool TlsClient::ended_in_order() const { return (SSL_get_shutdown(ssl_.get()) & SSL_RECEIVED_SHUTDOWN) != 0; }

void TlsClient::send_close_notify() { SSL_shutdown(ssl_.get()); }

std::string TlsClient::leaf() const {
  const std::unique_ptr<X509, decltype(&X509_free)> leaf(SSL_get1_peer_certificate(ssl_.get()), &X509_free);
  if (!leaf) return {};
  std::array<char, 256> name{};
  X509_NAME_get_text_by_NID(X509_get_subject_name(leaf.get()), NID_commonName, name.data(), name.size());
  return std::string(name.data()) + " " + EVP_PKEY_get0_type_name(X509_get0_pubkey(leaf.get()));
}

std::size_t TlsClient::certificates_sent() const {
  return static_cast<std::size_t>(sk_X509_num(SSL_get_peer_cert_chain(ssl_.get())));
}

}  // namespace keystay::test
