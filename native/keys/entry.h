// One alias: a private key and what belongs to it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "native/keys/certificate.h"
#include "native/keys/private_key.h"

namespace keystay::keys {

// What shows the public half of a key. The token says that it is this key's; a certificate with its CKA_ID,
// or a public key object with nothing but its label, may be another key's.
enum class PublicHalfSource { token, certificate, label };

// What of an alias is to be found.
enum class Parts {
  key,           // Entry::leaf only if it has a say in what the key is: of all but RSA keys, one search where
                 // the key pair's objects have one label
  key_and_leaf,  // at least two searches, if the alias is named by its label
};

// A snapshot: it does not change when the token does.
struct Entry {
  // The key's CKA_LABEL, else its leaf's, else "id:<hex>". Of keys that share one, "httpd#1", "httpd#2" …:
  // names that hold for this listing only.
  std::string alias;
  PrivateKey key;
  std::optional<Certificate> leaf;  // the newest valid one that fits the key; nothing for a key without one,
                                    // and see Parts
  std::vector<CK_MECHANISM_TYPE> allowed_mechanisms{};  // of the key; empty: all that the token offers
  PublicHalfSource public_half_source = PublicHalfSource::token;
  std::optional<std::string> shared_name{};  // instead of which it has this alias

  // The label that its objects have.
  [[nodiscard]] const std::string& name() const { return shared_name ? *shared_name : alias; }
};

// "id:01ab…": the alias of a key that has no label, nor a certificate with one.
inline constexpr std::string_view kIdPrefix = "id:";
[[nodiscard]] std::string id_alias(pkcs11::ByteView id);

[[nodiscard]] bool valid_now(const Certificate& certificate);

// True if `a` should be served rather than `b`: valid now, then the one that began later, then the one that
// ends later. Never left to the order of a token's objects, which may be another one in each process.
[[nodiscard]] bool preferred(const Certificate& a, const Certificate& b);
// The same of two leaves of one key: of those that are valid now, a CA's goes before a self-signed one, which
// stood in for it and may have begun later than what the CA dated back.
[[nodiscard]] bool preferred_leaf(const Certificate& a, const Certificate& b);

}  // namespace keystay::keys
