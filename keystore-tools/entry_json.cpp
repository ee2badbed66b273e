#include "keystore-tools/entry_json.h"

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

}  // namespace

boost::json::object certificate_in_json(const keys::Certificate& certificate) {
  return {{"subject", json_text(x509::format_name(certificate.subject))},
          {"issuer", json_text(x509::format_name(certificate.issuer))},
          {"not-before", moment(certificate.not_before)},
          {"not-after", moment(certificate.not_after)},
          {"sha256", x509::fingerprint(certificate, "SHA256")}};
}

boost::json::object entry_in_json(const keys::Entry& entry, std::size_t chain_length) {
  const keys::AliasVersion version = keys::version_of(entry.alias);
  boost::json::object object{{"alias", json_text(entry.alias)},
                             {"type", "PrivateKeyEntry"},
                             {"state", keys::name_of(version.state)},
                             {"of", json_text(version.alias)},
                             {"version", nullptr},
                             {"key", x509::describe_key(entry.key.public_key())},
                             {"id", pkcs11::hex(entry.key.reference().id())},
                             {"certificate", nullptr},
                             {"chain-length", chain_length}};
  if (version.state == keys::AliasState::kept) object["version"] = version.number;
  if (entry.leaf) object["certificate"] = certificate_in_json(*entry.leaf);
  return object;
}

boost::json::object entry_in_json(const keys::SecretKey& key) {
  const keys::AliasVersion version = keys::version_of(key.alias);
  return {{"alias", json_text(key.alias)},         {"type", "SecretKeyEntry"},
          {"state", keys::name_of(version.state)}, {"of", json_text(version.alias)},
          {"key", keys::describe_key(key)},        {"id", pkcs11::hex(key.reference.id())}};
}

}  // namespace keystay::tools
