// What a name means on a token, where labels are nobody's to keep unique: other tools give two keys one
// label, and users write names in another letter case.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "native/keys/listing.h"

namespace keystay::keys {

// A key or a certificate that belongs to none.
using Named = std::variant<Entry, TrustedCertificate>;

// Gives the keys that share a name aliases of their own: "httpd#1", "httpd#2" … in the order of their CKA_ID.
// Only a name that is the label of one key alone stays that key's alias; others have it from a certificate.
// Sorts by alias.
void name_apart(std::vector<Entry>& entries);
// The same for certificates; a name that a key has is the key's.
void name_apart(std::vector<TrustedCertificate>& certificates, const std::vector<Entry>& entries);

// What has this name exactly (its alias, its label, or "id:<hex>" of its CKA_ID), else what has it in another
// letter case. Nothing for "id:" alone. Throws pkcs11::Error (client) that lists their ids if that is more
// than one.
[[nodiscard]] std::optional<Named> look_up(std::string_view alias, const std::vector<Entry>& entries,
                                           const std::vector<TrustedCertificate>& certificates);

// For a command that changes or destroys. Throws pkcs11::Error (client) that tells the id if the name is one
// of those that name_apart made: with the next key of that label it may mean another one.
void require_lasting_name(std::string_view alias, const Named& named);

}  // namespace keystay::keys
