#include "keystore-tools/list_json.h"

#include <boost/json.hpp>
#include <fmt/chrono.h>
#include <fmt/core.h>

#include "keystore-tools/output_form.h"
#include "native/keys/alias_state.h"
#include "native/pkcs11/text.h"
#include "native/x509/certificate_text.h"
#include "native/x509/distinguished_name.h"

namespace keystay::tools {
namespace {

std::string moment(std::chrono::system_clock::time_point time) {
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::chrono::system_clock::to_time_t(time)));
}

boost::json::object certificate_in_json(const keys::Certificate& certificate) {
  return {{"subject", json_text(x509::format_name(certificate.subject))},
          {"issuer", json_text(x509::format_name(certificate.issuer))},
          {"not-before", moment(certificate.not_before)},
          {"not-after", moment(certificate.not_after)},
          {"sha256", x509::fingerprint(certificate, "SHA256")}};
}

boost::json::object entry_in_json(const keys::ListedEntry& listed) {
  const keys::Entry& entry = listed.entry;
  const keys::AliasVersion version = keys::version_of(entry.alias);
  boost::json::object object{{"alias", json_text(entry.alias)},
                             {"type", "PrivateKeyEntry"},
                             {"state", keys::name_of(version.state)},
                             {"of", json_text(version.alias)},
                             {"version", nullptr},
                             {"key", x509::describe_key(entry.key.public_key())},
                             {"id", pkcs11::hex(entry.key.reference().id())},
                             {"certificate", nullptr},
                             {"chain-length", listed.chain.size()}};
  if (version.state == keys::AliasState::kept) object["version"] = version.number;
  if (entry.leaf) object["certificate"] = certificate_in_json(*entry.leaf);
  return object;
}

}  // namespace

std::string list_in_json(keys::KeySource& source, const keys::Listing& listing) {
  const pkcs11::TokenInfo token = source.info();
  boost::json::array entries;
  for (const keys::ListedEntry& listed : listing.entries) entries.push_back(entry_in_json(listed));
  for (const keys::TrustedCertificate& trusted : listing.trusted) {
    entries.push_back({{"alias", json_text(trusted.alias)},
                       {"type", "trustedCertEntry"},
                       {"certificate", certificate_in_json(trusted.certificate)}});
  }
  boost::json::array unusable;
  for (const keys::UnreadableObject& object : listing.unreadable)
    unusable.push_back({{"name", json_text(keys::name_of(object))}, {"reason", json_text(object.reason)}});
  boost::json::array unfinished;
  for (const keys::Unfinished& object : listing.unfinished) unfinished.emplace_back(json_text(object.label));
  return json_line({{"source", json_text(source.name())},
                    {"token", {{"label", json_text(token.label)}, {"serial", json_text(token.serial)}}},
                    {"entries", std::move(entries)},
                    {"unusable", std::move(unusable)},
                    {"unfinished", std::move(unfinished)}});
}

}  // namespace keystay::tools
