#include "tlsd/ocsp/ocsp_staple.h"

#include <utility>

#include "tlsd/tls/openssl_error.h"

namespace keystay::tlsd {
namespace {

int index_of_staple() {
  static const int index = X509_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}

}  // namespace

OcspStaple::OcspStaple(X509* leaf) {
  if (X509_set_ex_data(leaf, index_of_staple(), this) != 1) throw openssl_error("X509_set_ex_data");
}

void OcspStaple::use(std::shared_ptr<const OcspResponse> response) {
  const std::scoped_lock lock(mutex_);
  response_.swap(response);
}

std::shared_ptr<const OcspResponse> OcspStaple::response() const {
  const std::scoped_lock lock(mutex_);
  return response_;
}

// SSL_CTX_set_tlsext_status_cb, whose cast is one of C.
void OcspStaple::apply(SSL_CTX* context) {
  SSL_CTX_callback_ctrl(context, SSL_CTRL_SET_TLSEXT_STATUS_REQ_CB,
                        reinterpret_cast<void (*)()>(&OcspStaple::answer));
}

// Runs on the fibre of a handshake, for clients that ask for it.
int OcspStaple::answer(SSL* ssl, void* /*unused*/) noexcept {
  const X509* leaf = SSL_get_certificate(ssl);
  const auto* staple =
      leaf != nullptr ? static_cast<const OcspStaple*>(X509_get_ex_data(leaf, index_of_staple())) : nullptr;
  if (staple == nullptr) return SSL_TLSEXT_ERR_NOACK;
  const auto response = staple->response();
  if (!response || response->next_update <= std::chrono::system_clock::now()) return SSL_TLSEXT_ERR_NOACK;
  void* copy = OPENSSL_memdup(response->der.data(), response->der.size());  // freed by libssl
  if (copy == nullptr) return SSL_TLSEXT_ERR_NOACK;
  SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_STATUS_REQ_OCSP_RESP, static_cast<long>(response->der.size()), copy);
  return SSL_TLSEXT_ERR_OK;
}

}  // namespace keystay::tlsd
