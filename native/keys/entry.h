// One alias, and the rules by which it is put together from the objects of a token.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "native/keys/certificate.h"
#include "native/keys/object_index.h"
#include "native/keys/private_key.h"

namespace keystay::keys {

// What shows the public half of a key. The token says that it is this key's; a certificate with its CKA_ID,
// or a public key object with nothing but its label, may be another key's.
enum class PublicHalfSource { token, certificate, label };

struct PublicHalf {
  pkcs11::PublicKey key;
  PublicHalfSource source;
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

// The public half of a private key: from itself, from the public key object or the certificate with its
// CKA_ID; where several have that, from the one with its label, or from the one that no other private key can
// have. Nothing if that is not told: there is no first hit. Of a key without a CKA_ID, from the only public
// key object without one that has its label.
[[nodiscard]] std::optional<PublicHalf> public_half(const KeyObject& key, const ObjectIndex& objects);

// Why a public key object without a public key states none: completes "of the object, …".
[[nodiscard]] std::string fault_of_public(const KeyObject& object);

// Why the public half of a key is not known, for a message: "its CKA_EC_POINT …".
[[nodiscard]] std::string why_unknown(const KeyObject& key, const ObjectIndex& objects);

// The leaf of a key: of the certificates with its public key those with its CKA_ID, else those with its
// label, else any; of these the one that is valid now and began last.
[[nodiscard]] const CertificateObject* leaf_of(const KeyObject& key, const pkcs11::PublicKey& public_key,
                                               const ObjectIndex& objects);

// Nothing if the public half is not known: such a key can be named to no peer.
[[nodiscard]] std::optional<Entry> join(const KeyObject& key, const ObjectIndex& objects,
                                        std::shared_ptr<pkcs11::KeyOperations> operations);

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
