// Certificates of an ACME server for keys of an alias store: the account key on the token, the request, the
// order, and what is checked of its certificate.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "keystore-tools/acme/account.h"
#include "keystore-tools/acme/client.h"
#include "keystore-tools/acme/options.h"
#include "keystore-tools/acme/order.h"
#include "keystore-tools/certificate_reply.h"
#include "keystore-tools/opened_store.h"

namespace keystay::tools::acme {

// What a certificate is to say, with nothing left open.
struct CompleteCertificate {
  pkcs11::Bytes subject;                // DER Name
  std::vector<std::string> extensions;  // with a san=
  std::vector<Identifier> identifiers;
  std::string signature_algorithm;
};

// What is not wanted otherwise, as `leaf`, the certificate that the alias has, says it. Throws UsageError if
// there are no names in either.
[[nodiscard]] CompleteCertificate complete(const WantedCertificate& wanted,
                                           const std::optional<keys::Certificate>& leaf);

// Throws UsageError for what is wrong in the options themselves; touches neither token nor network.
void require_usable(const AcmeOptions& options);

// Not thread-safe.
class Certification final {
 public:
  // Reads the server's directory. `store` must outlive it. `secret_variables`: see Hook.
  Certification(AliasStore& store, const AcmeOptions& options, std::vector<std::string> secret_variables);

  // Throws UsageError where a challenge cannot be answered; makes the account key, if there is none, and the
  // account.
  void prepare(const CompleteCertificate& wanted, const AccountOptions& account);
  // Whether prepare() would find an account: makes nothing. Nothing: there is no account key yet.
  [[nodiscard]] std::optional<bool> has_account();

  // A certificate for this key, after prepare(): checked, and not stored.
  [[nodiscard]] ReplyChain certify(const keys::Entry& entry, const CompleteCertificate& wanted);

  [[nodiscard]] const Directory& directory() const noexcept { return client_.directory(); }

 private:
  [[nodiscard]] keys::Entry require_account_key();

  AliasStore& store_;
  const AcmeOptions& options_;
  std::vector<std::string> secret_variables_;
  HttpsClient https_;
  Client client_;
  Responders responders_;
};

}  // namespace keystay::tools::acme
