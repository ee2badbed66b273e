// The public key as a request or certificate states it.
#pragma once

#include "native/x509/certificate_request.h"
#include "native/x509/signature_algorithm.h"

namespace keystay::x509 {

// By RequestContent::rsa_pss_spki.
[[nodiscard]] inline RsaUse rsa_use(const RequestContent& content) {
  return content.rsa_pss_spki.empty() ? RsaUse::any : RsaUse::pss_only;
}
// The key in software. Throws Error.
[[nodiscard]] EvpPkey stated_public_key(const keys::PrivateKey& key, const RequestContent& content);

}  // namespace keystay::x509
