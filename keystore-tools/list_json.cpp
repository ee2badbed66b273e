#include "keystore-tools/list_json.h"

#include <boost/json.hpp>

#include "keystore-tools/entry_json.h"
#include "keystore-tools/output_form.h"

namespace keystay::tools {
std::string list_in_json(keys::KeySource& source, const keys::Listing& listing) {
  const pkcs11::TokenInfo token = source.info();
  boost::json::array entries;
  for (const keys::ListedEntry& listed : listing.entries)
    entries.push_back(entry_in_json(listed.entry, listed.chain.size()));
  for (const keys::TrustedCertificate& trusted : listing.trusted) {
    entries.push_back({{"alias", json_text(trusted.alias)},
                       {"type", "trustedCertEntry"},
                       {"certificate", certificate_in_json(trusted.certificate)}});
  }
  for (const keys::SecretKey& key : listing.secret_keys) entries.push_back(entry_in_json(key));
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
