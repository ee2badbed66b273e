// The account of a key at an ACME server (RFC 8555, section 7.3). Nothing of it is kept here: the server
// finds it by the key.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "keystore-tools/acme/client.h"

namespace keystay::tools::acme {

// What registering needs.
struct AccountOptions {
  std::vector<std::string> contacts;       // URLs: "mailto:admin@example.org"
  bool agrees_to_terms = false;            // to the CA's terms of service
  std::string binding_key_id;              // of external account binding (section 7.3.4); empty: none
  std::filesystem::path binding_key_file;  // its MAC key in base64url, of HMAC
};

// Whether the server has an account of the client's key, which the client uses then.
[[nodiscard]] bool find_account(Client& client);

// Finds the account, or registers one; its contacts become those of the options, if there are any. Throws
// UsageError for what is missing in the options for registering.
void require_account(Client& client, const AccountOptions& options);

}  // namespace keystay::tools::acme
