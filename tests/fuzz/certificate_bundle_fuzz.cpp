// Files with certificates, as -importcert reads them, and the names and chains of what is in them.
#include <algorithm>
#include <string_view>

#include <openssl/err.h>

#include "native/keys/chain.h"
#include "native/keys/name.h"
#include "native/x509/certificate_bundle.h"
#include "native/x509/error.h"
#include "native/x509/openssl_pkix.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/law.h"

namespace keystay::test {
namespace {

void read(std::string_view content) {
  std::vector<keys::Certificate> certificates;
  try {
    certificates = x509::read_certificates(content);
  } catch (const x509::Error&) {
    ERR_clear_error();
    return;
  }
  require(!certificates.empty(), "a file without certificates is an error");
  const x509::OpenSslPkix pkix;
  for (const keys::Certificate& certificate : certificates) {
    require(keys::same_name(certificate.subject, certificate.subject), "a name is the same as itself");
    const keys::Chain chain = keys::build_chain(certificate, pkix, keys::issuers_among(certificates));
    require(!chain.empty() && chain.front().der == certificate.der, "a chain begins with its leaf");
    require(chain.size() <= certificates.size(), "nothing is in a chain twice");
  }
  require(ERR_peek_error() == 0, "no error is left behind");
}

}  // namespace
}  // namespace keystay::test

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  keystay::test::read({reinterpret_cast<const char*>(data), size});
  // Any octets may stand for a name.
  (void)keystay::keys::canonical_name({data, size});
  return 0;
}
