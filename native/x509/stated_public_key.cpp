#include "native/x509/stated_public_key.h"

#include "native/x509/public_key.h"
#include "native/x509/rsa_pss_key.h"

namespace keystay::x509 {

EvpPkey stated_public_key(const keys::PrivateKey& key, const RequestContent& content) {
  if (content.rsa_pss_spki.empty()) return to_evp_pkey(key.public_key(), nullptr);
  return rsa_pss_public_key(content.rsa_pss_spki, nullptr);
}

}  // namespace keystay::x509
