#include "keystore-tools/printcrl.h"

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <boost/json.hpp>
#include <fmt/core.h>

#include "keystore-tools/failure.h"
#include "keystore-tools/file_argument.h"
#include "keystore-tools/opened_store.h"
#include "keystore-tools/report.h"
#include "native/pkcs11/unicode.h"
#include "native/x509/pem.h"
#include "native/x509/revocation_list_text.h"

namespace keystay::tools {
namespace {

constexpr std::string_view kNotVerified =
    "*******************************************\n"
    "WARNING: not verified. Make sure -keystore is correct or specify -trustcacerts.\n"
    "*******************************************\n\n\n";

std::vector<x509::X509Crl> read(const std::filesystem::path& file) {
  try {
    return x509::read_revocation_lists(read_input(file));
  } catch (const x509::Error& error) {
    throw Failure((file.empty() ? "standard input" : file.string()) + ": " + error.what());
  }
}

struct Named {
  std::string alias;
  keys::Certificate certificate;
};

// What may have signed a list: the certificates of all aliases.
std::vector<Named> certificates(const StoreOptions& options) {
  if (options.key_store.empty() && options.token.empty()) return {};
  OpenedStore store(options, MissingKeyStore::refused);
  keys::Listing listing = store.aliases().list();
  std::vector<Named> result;
  for (keys::ListedEntry& listed : listing.entries)
    if (listed.entry.leaf) result.push_back({listed.entry.alias, *std::move(listed.entry.leaf)});
  for (keys::TrustedCertificate& trusted : listing.trusted)
    result.push_back({trusted.alias, std::move(trusted.certificate)});
  return result;
}

// The alias that has signed the list, and its key; nothing if it is none of them.
struct Signer {
  std::string alias;
  std::string key;
};
std::optional<Signer> signer_of(X509_CRL* crl, const std::vector<Named>& known) {
  for (const Named& named : known)
    if (std::string key = x509::signing_key(crl, named.certificate); !key.empty())
      return Signer{named.alias, std::move(key)};
  return std::nullopt;
}

std::string verification(X509_CRL* crl, const std::vector<Named>& known) {
  const std::optional<Signer> signer = signer_of(crl, known);
  if (!signer) return std::string(kNotVerified);
  return fmt::format("Verified by {} in keystore with a {}\n", pkcs11::printable(signer->alias), signer->key);
}

boost::json::object in_json(X509_CRL* crl, const std::vector<Named>& known) {
  const x509::RevocationListSummary summary = x509::summary_of(crl);
  boost::json::array revoked;
  for (const x509::RevokedCertificate& certificate : summary.revoked)
    revoked.push_back({{"serial", certificate.serial}, {"date", certificate.date}});
  const std::optional<Signer> signer = signer_of(crl, known);
  return {{"issuer", json_text(summary.issuer)},
          {"this-update", summary.this_update},
          {"next-update", text_or_null(summary.next_update)},
          {"revoked", std::move(revoked)},
          {"verified-by", text_or_null(signer ? signer->alias : "")},
          {"pem", x509::to_pem(x509::kRevocationListLabel, x509::der_of(crl))}};
}

}  // namespace

void PrintCrl::run(const StoreOptions& options) const {
  const std::vector<x509::X509Crl> lists = read(file);
  const std::vector<Named> known = certificates(options);
  if (form == OutputForm::json) {
    boost::json::array array;
    for (const x509::X509Crl& crl : lists) array.push_back(in_json(crl.get(), known));
    return write_output({}, json_line({{"command", "printcrl"}, {"lists", std::move(array)}}));
  }
  std::string text;
  for (const x509::X509Crl& crl : lists) {
    text += rfc ? x509::to_pem(x509::kRevocationListLabel, x509::der_of(crl.get()))
                : x509::describe_revocation_list(crl.get());
    text += verification(crl.get(), known);
  }
  write_output({}, text);
}

}  // namespace keystay::tools
