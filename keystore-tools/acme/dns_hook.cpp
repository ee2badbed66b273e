#include "keystore-tools/acme/dns_hook.h"

#include "keystore-tools/acme/base64url.h"
#include "keystore-tools/acme/jws.h"

namespace keystay::tools::acme {

void DnsHook::run(const char* action, const ChallengeResponse& response) const {
  const std::string& domain = response.identifier.value;
  const std::string name = "_acme-challenge." + domain;
  const std::string value = to_base64url(sha256(response.key_authorization));
  run_hook(hook_, {action, name, value},
           {"KEYSTAY_ACME_DOMAIN=" + domain, "KEYSTAY_ACME_RECORD=" + name, "KEYSTAY_ACME_VALUE=" + value});
}

}  // namespace keystay::tools::acme
