#include "tests/provider/tls_connection.h"

#include <gtest/gtest.h>

namespace keystay::test {

X509Certificate self_signed(EVP_PKEY* key) {
  const EVP_MD* digest = EVP_PKEY_is_a(key, "ED25519") == 1 ? nullptr : EVP_sha256();
  X509Certificate certificate(X509_new());
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate.get()), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>("localhost"), -1, -1, 0);
  X509_set_issuer_name(certificate.get(), X509_get_subject_name(certificate.get()));
  X509_set_version(certificate.get(), X509_VERSION_3);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -3600);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 3600);
  X509_set_pubkey(certificate.get(), key);
  EXPECT_GT(X509_sign(certificate.get(), key, digest), 0) << take_errors();
  return certificate;
}

Connection::Connection(SSL_CTX* server, SSL_CTX* client)
    : server_(SSL_new(server)), client_(SSL_new(client)) {
  BIO* server_side = nullptr;
  BIO* client_side = nullptr;
  BIO_new_bio_pair(&server_side, 0, &client_side, 0);
  SSL_set_bio(server_.get(), server_side, server_side);
  SSL_set_bio(client_.get(), client_side, client_side);
  SSL_set_accept_state(server_.get());
  SSL_set_connect_state(client_.get());
}

bool Connection::step(SSL* end) {
  const int result = SSL_do_handshake(end);
  if (result == 1) return true;
  const int error = SSL_get_error(end, result);
  return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE || error == SSL_ERROR_WANT_ASYNC;
}

}  // namespace keystay::test
