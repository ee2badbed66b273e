#include "keystore-tools/acme/account.h"

#include <algorithm>
#include <cctype>
#include <utility>

#include <boost/json.hpp>

#include "keystore-tools/acme/base64url.h"
#include "keystore-tools/file_argument.h"
#include "native/pkcs11/wipe.h"
#include "native/pkcs11/wiped_text.h"

namespace keystay::tools::acme {
namespace {

namespace json = boost::json;

constexpr std::string_view kWhat = "newAccount";

void use(Client& client, const Response& response) {
  if (response.location.empty())
    throw Failure("ACME: newAccount at " + client.directory().new_account +
                  ": the answer names no account (Location)");
  client.use_account(response.location);
}

// RFC 8555, section 7.3.1; some servers look for the binding of section 7.3.4 before they look for the
// account.
bool is_unknown(const Refusal& refusal) {
  return refusal.problem().type == "accountDoesNotExist" ||
         refusal.problem().type == "externalAccountRequired";
}

pkcs11::Bytes read_mac_key(const std::filesystem::path& file) {
  const pkcs11::WipedText text = read_secret_input(file);
  std::string_view key = text.view();
  while (!key.empty() && std::isspace(static_cast<unsigned char>(key.back()))) key.remove_suffix(1);
  auto bytes = from_base64url(key);
  if (!bytes || bytes->empty())
    throw Failure(file.string() + " (-eab-hmac-file) holds no key in base64url, as the CA hands it out");
  return *std::move(bytes);
}

// RFC 8555, section 7.3.4: the account's key, signed by the CA's customer.
json::value binding(const Client& client, const AccountOptions& options) {
  pkcs11::Bytes key = read_mac_key(options.binding_key_file);
  const std::string header = json::serialize(json::object{
      {"alg", "HS256"}, {"kid", options.binding_key_id}, {"url", client.directory().new_account}});
  json::value jws = json::parse(flattened_jws(
      header, client.key().jwk, [&](std::string_view input) { return hmac_sha256(key, input); }));
  pkcs11::wipe(key);
  return jws;
}

json::array contacts_of(const AccountOptions& options) {
  return json::array(options.contacts.begin(), options.contacts.end());
}

void require_registrable(const Directory& directory, const AccountOptions& options) {
  if (!directory.terms_of_service.empty() && !options.agrees_to_terms) {
    throw UsageError("the CA asks for agreement to its terms of service: read " + directory.terms_of_service +
                     ", and write -agree-tos if you agree");
  }
  if (directory.external_account_required && options.binding_key_id.empty()) {
    throw UsageError(
        "the CA registers its customers only: write the key ID and the file of the HMAC key that it gave "
        "you, "
        "-eab-kid and -eab-hmac-file");
  }
}

void register_account(Client& client, const AccountOptions& options) {
  require_registrable(client.directory(), options);
  json::object payload{{"termsOfServiceAgreed", true}};
  if (client.directory().terms_of_service.empty()) payload.erase("termsOfServiceAgreed");
  if (!options.contacts.empty()) payload["contact"] = contacts_of(options);
  if (!options.binding_key_id.empty()) payload["externalAccountBinding"] = binding(client, options);
  use(client, client.post(kWhat, client.directory().new_account, json::serialize(payload)));
}

}  // namespace

bool find_account(Client& client) {
  try {
    const Response response =
        client.post(kWhat, client.directory().new_account, R"({"onlyReturnExisting":true})");
    use(client, response);
    return true;
  } catch (const Refusal& refusal) {
    if (!is_unknown(refusal)) throw;
    return false;
  }
}

void require_account(Client& client, const AccountOptions& options) {
  if (!find_account(client)) return register_account(client, options);
  if (options.contacts.empty()) return;
  client.post("account", client.account(), json::serialize(json::object{{"contact", contacts_of(options)}}));
}

}  // namespace keystay::tools::acme
