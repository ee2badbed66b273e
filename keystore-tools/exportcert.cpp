#include "keystore-tools/exportcert.h"

#include "keystore-tools/failure.h"
#include "keystore-tools/file_argument.h"
#include "native/keys/alias_name.h"
#include "native/x509/pem.h"

namespace keystay::tools {
namespace {

keys::Certificate certificate_of(AliasStore& store, const std::string& alias) {
  keys::Named named = store.require(alias);
  if (auto* trusted = std::get_if<keys::TrustedCertificate>(&named)) return std::move(trusted->certificate);
  if (const auto* secret = std::get_if<keys::SecretKey>(&named))
    throw Failure(keys::quoted_alias(secret->alias) + " is a secret key and has no certificate");
  auto& entry = std::get<keys::Entry>(named);
  if (!entry.leaf) {
    throw Failure(keys::quoted_alias(entry.alias) + " has no certificate; import one with -importcert");
  }
  return *std::move(entry.leaf);
}

}  // namespace

void ExportCert::run(AliasStore& store) const {
  const keys::Certificate certificate = certificate_of(store, alias);
  if (rfc) return write_output(file, x509::to_pem(x509::kCertificateLabel, certificate.der));
  write_output(file, {reinterpret_cast<const char*>(certificate.der.data()), certificate.der.size()});
}

}  // namespace keystay::tools
