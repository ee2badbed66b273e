#include "keystore-tools/printcrl.h"

#include <memory>
#include <vector>

#include <fmt/core.h>

#include "keystore-tools/failure.h"
#include "keystore-tools/file_argument.h"
#include "keystore-tools/opened_store.h"
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

std::string verification(X509_CRL* crl, const std::vector<Named>& known) {
  for (const Named& named : known) {
    const std::string key = x509::signing_key(crl, named.certificate);
    if (!key.empty())
      return fmt::format("Verified by {} in keystore with a {}\n", pkcs11::printable(named.alias), key);
  }
  return std::string(kNotVerified);
}

}  // namespace

void PrintCrl::run(const StoreOptions& options) const {
  const std::vector<x509::X509Crl> lists = read(file);
  const std::vector<Named> known = certificates(options);
  std::string text;
  for (const x509::X509Crl& crl : lists) {
    text += rfc ? x509::to_pem(x509::kRevocationListLabel, x509::der_of(crl.get()))
                : x509::describe_revocation_list(crl.get());
    text += verification(crl.get(), known);
  }
  write_output({}, text);
}

}  // namespace keystay::tools
