#include "tlsd/ocsp/ocsp_response.h"

#include <memory>
#include <stdexcept>
#include <string_view>

#include <openssl/err.h>
#include <openssl/ocsp.h>

#include "tlsd/tls/asn1_time.h"
#include "tlsd/tls/openssl_error.h"

namespace keystay::tlsd {
namespace {

using RequestHandle = std::unique_ptr<OCSP_REQUEST, FreedBy<OCSP_REQUEST_free>>;
using ResponseHandle = std::unique_ptr<OCSP_RESPONSE, FreedBy<OCSP_RESPONSE_free>>;
using BasicHandle = std::unique_ptr<OCSP_BASICRESP, FreedBy<OCSP_BASICRESP_free>>;
using IdHandle = std::unique_ptr<OCSP_CERTID, FreedBy<OCSP_CERTID_free>>;
using X509StoreHandle = std::unique_ptr<X509_STORE, FreedBy<X509_STORE_free>>;

struct FreeUris {
  void operator()(STACK_OF(OPENSSL_STRING) * uris) const noexcept { X509_email_free(uris); }
};

// Where an answer has no nextUpdate there are newer ones at any time (RFC 6960, section 4.2.2.1).
constexpr std::chrono::hours kWithoutNextUpdate{1};

// What libcrypto fetches for the objects of an answer comes from our context, which no openssl.cnf changes.
class DefaultLibrary final {
 public:
  explicit DefaultLibrary(OSSL_LIB_CTX* library) : before_(OSSL_LIB_CTX_set0_default(library)) {}
  DefaultLibrary(const DefaultLibrary&) = delete;
  DefaultLibrary& operator=(const DefaultLibrary&) = delete;
  ~DefaultLibrary() { OSSL_LIB_CTX_set0_default(before_); }

 private:
  OSSL_LIB_CTX* before_;
};

// SHA-1 names the certificate, as all responders expect it (RFC 5019, section 2.1.1); nothing hangs on it.
IdHandle id_of(const X509* leaf, const X509* issuer) {
  IdHandle id(OCSP_cert_to_id(EVP_sha1(), leaf, issuer));
  if (!id) throw openssl_error("OCSP_cert_to_id");
  return id;
}

BasicHandle parse(std::span<const unsigned char> der) {
  ERR_clear_error();
  const unsigned char* at = der.data();
  const ResponseHandle response(d2i_OCSP_RESPONSE(nullptr, &at, static_cast<long>(der.size())));
  if (!response || at != der.data() + der.size()) throw openssl_error("no OCSP response (DER)");
  const int status = OCSP_response_status(response.get());
  if (status != OCSP_RESPONSE_STATUS_SUCCESSFUL)
    throw CryptoError("the responder says: " + std::string(OCSP_response_status_str(status)));
  BasicHandle basic(OCSP_response_get1_basic(response.get()));
  if (!basic) throw openssl_error("no basic OCSP response");
  return basic;
}

// RFC 6960, section 4.2.2.2: signed by the issuer, or by whom a certificate of it charges with
// id-kp-OCSPSigning.
void verify(OCSP_BASICRESP* basic, X509* issuer) {
  const X509StoreHandle store(X509_STORE_new());
  const X509Stack others(sk_X509_new_null());
  if (!store || !others || X509_STORE_add_cert(store.get(), issuer) != 1 ||
      X509_STORE_set_flags(store.get(), X509_V_FLAG_PARTIAL_CHAIN) != 1 || X509_up_ref(issuer) != 1) {
    throw openssl_error("X509_STORE_new");
  }
  if (sk_X509_push(others.get(), issuer) == 0) {
    X509_free(issuer);
    throw openssl_error("sk_X509_push");
  }
  if (OCSP_basic_verify(basic, others.get(), store.get(), 0) != 1)
    throw openssl_error("the response is not signed by the certificate's issuer, or on its behalf");
}

}  // namespace

std::string ocsp_responder(const X509* leaf) {
  const std::unique_ptr<STACK_OF(OPENSSL_STRING), FreeUris> uris(X509_get1_ocsp(const_cast<X509*>(leaf)));
  for (int i = 0; i < sk_OPENSSL_STRING_num(uris.get()); ++i) {
    const std::string_view uri = sk_OPENSSL_STRING_value(uris.get(), i);
    if (uri.starts_with("http://")) return std::string(uri);
  }
  return {};
}

std::vector<unsigned char> ocsp_request(const X509* leaf, const X509* issuer) {
  ERR_clear_error();
  const RequestHandle request(OCSP_REQUEST_new());
  IdHandle id = id_of(leaf, issuer);
  if (!request || OCSP_request_add0_id(request.get(), id.get()) == nullptr)
    throw openssl_error("OCSP_request_add0_id");
  static_cast<void>(id.release());
  const int size = i2d_OCSP_REQUEST(request.get(), nullptr);
  if (size <= 0) throw openssl_error("i2d_OCSP_REQUEST");
  std::vector<unsigned char> der(static_cast<std::size_t>(size));
  unsigned char* at = der.data();
  i2d_OCSP_REQUEST(request.get(), &at);
  return der;
}

OcspResponse verified_response(OSSL_LIB_CTX* library, std::span<const unsigned char> der, const X509* leaf,
                               X509* issuer) {
  const DefaultLibrary ours(library);
  const BasicHandle basic = parse(der);
  verify(basic.get(), issuer);
  const IdHandle id = id_of(leaf, issuer);
  int status = 0;
  int reason = 0;
  ASN1_GENERALIZEDTIME* this_update = nullptr;
  ASN1_GENERALIZEDTIME* next_update = nullptr;
  if (OCSP_resp_find_status(basic.get(), id.get(), &status, &reason, nullptr, &this_update, &next_update) !=
      1)
    throw CryptoError("the response is for another certificate");
  if (status == V_OCSP_CERTSTATUS_REVOKED) {
    throw Revoked("its issuer has revoked it (" +
                  std::string(reason >= 0 ? OCSP_crl_reason_str(reason) : "no reason given") + ")");
  }
  if (status != V_OCSP_CERTSTATUS_GOOD) throw CryptoError("the responder does not know the certificate");
  OcspResponse result{{der.begin(), der.end()}, time_point(this_update), {}};
  result.next_update =
      next_update != nullptr ? time_point(next_update) : result.this_update + kWithoutNextUpdate;
  return result;
}

}  // namespace keystay::tlsd
