#include "keystore-tools/gencrl.h"

#include "keystore-tools/failure.h"
#include "keystore-tools/file_argument.h"
#include "keystore-tools/issuer_alias.h"
#include "native/x509/issued_certificate.h"
#include "native/x509/pem.h"
#include "native/x509/revocation_list.h"

namespace keystay::tools {

void GenCrl::run(AliasStore& store) const {
  const x509::Validity period = validity(start_date, validity_days);
  std::vector<x509::Revocation> revoked;
  argument([&] {
    for (const std::string& id : ids) revoked.push_back(x509::parse_revocation(id));
  });
  const keys::Entry ca = require_issuer(store, alias);
  const x509::SignatureAlgorithm& algorithm = argument(
      [&]() -> const x509::SignatureAlgorithm& { return x509::issuing_algorithm(ca, signature_algorithm); });
  const pkcs11::Bytes der = x509::revocation_list(ca, revoked, period, algorithm);
  if (rfc) return write_output(file, x509::to_pem(x509::kRevocationListLabel, der));
  write_output(file, {reinterpret_cast<const char*>(der.data()), der.size()});
}

}  // namespace keystay::tools
