#include "native/x509/request_text.h"

#include <openssl/err.h>

#include "native/x509/displayed_name.h"
#include "native/x509/errors_set_aside.h"
#include "native/x509/extension_text.h"
#include "native/x509/joined.h"

namespace keystay::x509 {

RequestSummary summary_of(const X509_REQ* request) {
  const ErrorsSetAside others;
  auto* asked = const_cast<X509_REQ*>(request);  // libcrypto's getters want it so
  const X509_ALGOR* algorithm = nullptr;
  X509_REQ_get0_signature(request, nullptr, &algorithm);
  const X509Extensions extensions(X509_REQ_get_extensions(asked));
  ERR_clear_error();  // a request without extensions is no error
  return {.subject = displayed_name(X509_REQ_get_subject_name(request)),
          .key = displayed_key(X509_REQ_get_X509_PUBKEY(asked)),
          .signature_algorithm = displayed_signature_algorithm(algorithm),
          .extensions = describe_extensions(extensions.get(), "Extension Request:")};
}

std::string describe_request(const X509_REQ* request) {
  const RequestSummary summary = summary_of(request);
  return joined("PKCS #10 Certificate Request (Version 1.0)\nSubject: ", summary.subject,
                "\nFormat: X.509\nPublic Key: ", summary.key,
                "\nSignature algorithm: ", summary.signature_algorithm, "\n", summary.extensions);
}

}  // namespace keystay::x509
