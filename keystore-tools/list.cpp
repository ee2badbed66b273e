#include "keystore-tools/list.h"

#include <cstdio>

#include <fmt/chrono.h>
#include <fmt/core.h>

#include "keystore-tools/failure.h"
#include "keystore-tools/file_argument.h"
#include "keystore-tools/list_json.h"
#include "keystore-tools/terminal_style.h"
#include "keystore-tools/unfinished_text.h"
#include "native/keys/alias_name.h"
#include "native/keys/alias_state.h"
#include "native/pkcs11/text.h"
#include "native/pkcs11/unicode.h"
#include "native/x509/certificate_text.h"
#include "native/x509/pem.h"

namespace keystay::tools {
namespace {

using keys::Certificate;

constexpr std::string_view kKey = "PrivateKeyEntry";
constexpr std::string_view kTrusted = "trustedCertEntry";
constexpr std::string_view kSecret = "SecretKeyEntry";
constexpr std::string_view kRule =
    "\n\n*******************************************\n*******************************************\n\n\n";

// A label that others gave may hold what would turn the line round, or cannot be seen.
std::string shown(std::string_view alias) { return pkcs11::printable(alias); }

// A token keeps no date of creation; the beginning of the certificate is the nearest to it.
std::string date(const Certificate& certificate) {
  return fmt::format("{:%b %d, %Y}",
                     fmt::gmtime(std::chrono::system_clock::to_time_t(certificate.not_before)));
}

std::string in_words(const keys::Chain& chain) {
  std::string text = fmt::format("Certificate chain length: {}\n", chain.size());
  for (std::size_t i = 0; i < chain.size(); ++i) {
    text += fmt::format("Certificate[{}]:\n{}", i + 1, x509::describe_certificate(chain[i]));
  }
  return text;
}

std::string in_pem(const keys::Chain& chain) {
  std::string text = fmt::format("Certificate chain length: {}\n", chain.size());
  for (std::size_t i = 0; i < chain.size(); ++i) {
    text += fmt::format("Certificate[{}]:\n{}", i + 1, x509::to_pem(x509::kCertificateLabel, chain[i].der));
  }
  return text;
}

std::string chain_text(const keys::Chain& chain, ListForm form) {
  return form == ListForm::rfc ? in_pem(chain) : in_words(chain);
}

std::string fingerprint_line(const Certificate& certificate) {
  return fmt::format("Certificate fingerprint (SHA-256): {}\n", x509::fingerprint(certificate, "SHA256"));
}

std::string brief(const keys::Entry& entry) {
  if (!entry.leaf) {
    return fmt::format("{}, {}, {} without a certificate\n", shown(entry.alias), kKey,
                       x509::describe_key(entry.key.public_key()));
  }
  return fmt::format("{}, {}, {},\n{}", shown(entry.alias), date(*entry.leaf), kKey,
                     fingerprint_line(*entry.leaf));
}

std::string detailed(const keys::Entry& entry, const keys::Chain& chain, ListForm form) {
  std::string text = fmt::format("Alias name: {}\n", shown(entry.alias));
  if (entry.leaf) text += fmt::format("Creation date: {}\n", date(*entry.leaf));
  text += fmt::format("Entry type: {}\n", kKey);
  if (form == ListForm::verbose) {
    text += fmt::format("Key: {} with id {}\n", x509::describe_key(entry.key.public_key()),
                        pkcs11::hex(entry.key.reference().id()));
  }
  return text + (entry.leaf ? chain_text(chain, form) : "No certificate\n");
}

std::string brief(const keys::TrustedCertificate& entry) {
  return fmt::format("{}, {}, {},\n{}", shown(entry.alias), date(entry.certificate), kTrusted,
                     fingerprint_line(entry.certificate));
}

std::string detailed(const keys::TrustedCertificate& entry, ListForm form) {
  return fmt::format("Alias name: {}\nCreation date: {}\nEntry type: {}\n\n{}", shown(entry.alias),
                     date(entry.certificate), kTrusted,
                     form == ListForm::rfc ? x509::to_pem(x509::kCertificateLabel, entry.certificate.der)
                                           : x509::describe_certificate(entry.certificate));
}

std::string text_of(const keys::Entry& entry, const keys::Chain& chain, ListForm form) {
  return form == ListForm::brief ? brief(entry) : detailed(entry, chain, form);
}

std::string text_of(const keys::TrustedCertificate& entry, ListForm form) {
  return form == ListForm::brief ? brief(entry) : detailed(entry, form);
}

// Of a secret key the token keeps no date at all.
std::string text_of(const keys::SecretKey& key, ListForm form) {
  if (form == ListForm::brief)
    return fmt::format("{}, {}, {}\n", shown(key.alias), kSecret, keys::describe_key(key));
  return fmt::format("Alias name: {}\nEntry type: {}\n{}", shown(key.alias), kSecret,
                     form == ListForm::verbose ? fmt::format("Key: {} with id {}\n", keys::describe_key(key),
                                                             pkcs11::hex(key.reference.id()))
                                               : "");
}

// Where the entries are.
std::string place_of(keys::KeySource& source) {
  const pkcs11::TokenInfo token = source.info();
  if (source.replication()) return "G" + keys::name_with_members(source).substr(1);
  return fmt::format("Token: {}, serial {} ({} {})", token.label, token.serial, token.manufacturer,
                     token.model);
}

std::string heading(AliasStore& store, std::size_t entries) {
  return fmt::format("Keystore type: Keystay\n{}\n\nYour keystore contains {} {}\n\n",
                     place_of(store.keys().source()), entries, entries == 1 ? "entry" : "entries");
}

// Not an entry: it cannot be used, and is listed with the reason.
std::string text_of(const keys::UnreadableObject& object) {
  return fmt::format("{}: cannot be used: {}\n", keys::name_of(object), object.reason);
}

std::string state_text(const keys::AliasVersion& version) {
  const std::string alias = keys::quoted_alias(version.alias);
  switch (version.state) {
    case keys::AliasState::deactivated:
      return alias + ", deactivated; keystay -activate makes it usable again";
    case keys::AliasState::next:
      return "the key that is to follow that of " + alias + ", without its certificate yet";
    case keys::AliasState::kept:
      return fmt::format("version {} of {}, which another key has followed; keystay -retire destroys it",
                         version.number, alias);
    case keys::AliasState::active:
      break;
  }
  return "";
}

// Nothing if all entries are aliases that may be served.
std::string not_served(const keys::Listing& listing) {
  std::string text;
  const auto add = [&](const std::string& alias) {
    const keys::AliasVersion version = keys::version_of(alias);
    if (version.state != keys::AliasState::active)
      text += fmt::format("{}: {}\n", shown(alias), state_text(version));
  };
  for (const auto& [entry, chain] : listing.entries) add(entry.alias);
  for (const keys::SecretKey& key : listing.secret_keys) add(key.alias);
  return text.empty() ? text : "\nNot served:\n" + text;
}

keys::Listing read_all(AliasStore& store) {
  keys::KeySource& source = store.keys().source();
  if (source.pin_supply() == keys::PinSupply::prompt) source.recover();  // the question comes first
  const Progress progress("Reading " + source.name());
  return store.list();
}

std::string all(AliasStore& store, ListForm form) {
  const keys::Listing listing = read_all(store);
  std::string text =
      heading(store, listing.entries.size() + listing.trusted.size() + listing.secret_keys.size());
  const std::string_view rule = form == ListForm::brief ? "" : kRule;
  for (const auto& [entry, chain] : listing.entries) text.append(text_of(entry, chain, form)).append(rule);
  for (const keys::TrustedCertificate& entry : listing.trusted)
    text.append(text_of(entry, form)).append(rule);
  for (const keys::SecretKey& key : listing.secret_keys) text.append(text_of(key, form)).append(rule);
  for (const keys::UnreadableObject& object : listing.unreadable) text += text_of(object);
  text += not_served(listing);
  if (!listing.unfinished.empty()) {
    text +=
        "\nUnfinished, left by commands that did not come to their end or are still at it; keystay -cleanup "
        "removes it:\n" +
        describe(listing.unfinished);
  }
  return text;
}

std::string one(AliasStore& store, const std::string& alias, ListForm form) {
  const keys::Named named = store.require(alias);
  if (const auto* entry = std::get_if<keys::Entry>(&named))
    return text_of(*entry, form == ListForm::brief ? keys::Chain{} : store.keys().chain(*entry), form);
  if (const auto* key = std::get_if<keys::SecretKey>(&named)) return text_of(*key, form);
  return text_of(std::get<keys::TrustedCertificate>(named), form);
}

}  // namespace

std::string List::in_json(AliasStore& store) const {
  if (alias.empty()) return list_in_json(store.keys().source(), read_all(store));
  keys::Listing listing;
  keys::Named named = store.require(alias);
  if (auto* entry = std::get_if<keys::Entry>(&named)) {
    keys::Chain chain = store.keys().chain(*entry);
    listing.entries.push_back({std::move(*entry), std::move(chain)});
  } else if (auto* key = std::get_if<keys::SecretKey>(&named)) {
    listing.secret_keys.push_back(std::move(*key));
  } else {
    listing.trusted.push_back(std::get<keys::TrustedCertificate>(std::move(named)));
  }
  return list_in_json(store.keys().source(), listing);
}

void List::run(AliasStore& store) const {
  if (output == OutputForm::json) return write_output({}, in_json(store));
  write_output({}, alias.empty() ? all(store, form) : one(store, alias, form));
}

}  // namespace keystay::tools
