// What a name means on a token, where labels need not be unique: other tools give two keys one
// label, and users write names in another letter case.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "native/keys/listing.h"

namespace keystay::keys {

// A key pair, a certificate that belongs to none, one of either that nothing can be done with, or a secret
// key.
using Named = std::variant<Entry, TrustedCertificate, UnreadableObject, SecretKey>;

// What a name is looked up for.
enum class Purpose {
  use,     // a name that a key and a certificate share is the key's, and one that a private and a secret key
           // share is the private one's
  change,  // to destroy or rename: such a name means nothing, and so do the names that name_apart made
};

// Gives the keys that share a name aliases of their own: "httpd#1", "httpd#2" … in the order of their CKA_ID.
// Only a name that is the label of one key alone stays that key's alias; others have it from a certificate.
// Sorts by alias.
void name_apart(std::vector<Entry>& entries);
// The same for certificates; a name that a key has is the key's.
void name_apart(std::vector<TrustedCertificate>& certificates, const std::vector<Entry>& entries,
                const std::vector<SecretKey>& secret_keys = {});
// The same for secret keys; a name that a private key has is that one's.
void name_apart(std::vector<SecretKey>& secret_keys, const std::vector<Entry>& entries);

// What names are looked up among.
struct Nameable {
  const std::vector<Entry>& entries;
  const std::vector<TrustedCertificate>& trusted;
  const std::vector<UnreadableObject>& unreadable;
  const std::vector<SecretKey>& secret_keys;
};

// "id:<hex>" is the key with this CKA_ID, whatever else has it; a certificate only where no key has it. Any
// other name is what has it exactly (as its alias or its label), else what has it in another letter case.
// What cannot be read is named so too, by its label or its id; a certificate among it only where nothing else
// has the name. Nothing for "id:" alone. Throws pkcs11::Error (client) that lists their ids if that is more
// than one.
[[nodiscard]] std::optional<Named> look_up(std::string_view alias, const Nameable& among, Purpose purpose);

// "id:…" in any letter case.
[[nodiscard]] bool is_by_id(std::string_view alias);

// The name that a list shows, or would show.
[[nodiscard]] std::string alias_of(const Named& named);
[[nodiscard]] std::string alias_of(const UnreadableObject& object);

}  // namespace keystay::keys
