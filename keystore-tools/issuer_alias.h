// The alias that signs for others: -gencert, -gencrl, and -genkeypair with -signer.
#pragma once

#include <string>

#include "keystore-tools/opened_store.h"
#include "native/x509/signed_certificate.h"

namespace keystay::tools {

// A key with a certificate. Says on standard error if that is no CA's, since clients will refuse what it
// signs. Throws Failure and pkcs11::Error.
[[nodiscard]] keys::Entry require_issuer(AliasStore& store, const std::string& alias);

// -startdate and -validity. Throws UsageError.
[[nodiscard]] x509::Validity validity(const std::string& start_date, int days);

}  // namespace keystay::tools
