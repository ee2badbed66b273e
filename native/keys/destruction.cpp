#include "native/keys/destruction.h"

#include <algorithm>
#include <string>

#include "native/keys/issuers.h"
#include "native/keys/listing_of_objects.h"
#include "native/keys/naming.h"
#include "native/keys/stored_object.h"
#include "native/keys/token_objects.h"
#include "native/keys/unfinished_label.h"
#include "native/pkcs11/error.h"

namespace keystay::keys {
namespace {

using pkcs11::Error;
using pkcs11::Session;
using pkcs11::Template;

bool belongs_to(const CertificateObject& object, const Entry& entry) {
  return object.certificate.public_key == entry.key.public_key() &&
         (object.id == entry.key.reference().id() || object.label == entry.name());
}

// Of two private keys with one public half, each keeps the objects with its own CKA_ID or CKA_LABEL.
bool is_of_any(const KeyObject& object, const std::vector<Entry>& entries) {
  return std::ranges::any_of(entries, [&](const Entry& entry) {
    return object.public_key == entry.key.public_key() &&
           (object.id == entry.key.reference().id() || object.label == entry.name());
  });
}

bool is_of_any(const CertificateObject& object, const std::vector<Entry>& entries) {
  return std::ranges::any_of(entries, [&](const Entry& entry) { return belongs_to(object, entry); });
}

std::vector<KeyObject> public_keys_of(Session& session, const Pkix& pkix, const Entry& entry) {
  std::vector<KeyObject> keys = read_all(session, pkix).public_keys;
  std::erase_if(keys, [&](const KeyObject& key) { return key.public_key != entry.key.public_key(); });
  return keys;
}

// Whether a public key that an interruption leaves could be recognised by an unfinished label only: one that
// the token did not generate (CKA_LOCAL). Not where the token forbids another label.
bool needs_mark(Session& session, const KeyObject& key) {
  constexpr CK_ATTRIBUTE_TYPE kAttributes[] = {CKA_LOCAL, CKA_MODIFIABLE};
  const pkcs11::Attributes attributes = session.attributes(key.handle, kAttributes);
  return !attributes.flag(CKA_LOCAL).value_or(false) && attributes.flag(CKA_MODIFIABLE).value_or(true);
}

}  // namespace

void destroy_private_key(Session& session, const Pkix& pkix, const Entry& entry) {
  const CK_OBJECT_HANDLE key = find_unchanged(session, entry);
  std::vector<KeyObject> marked = public_keys_of(session, pkix, entry);
  std::erase_if(marked, [&](const KeyObject& half) {
    const bool is_own = half.id == entry.key.reference().id() || half.label == entry.name();
    return !is_own || !needs_mark(session, half);
  });
  const std::string label = unfinished_label();
  for (const KeyObject& half : marked) store_label(session, half.handle, label);
  try {
    session.destroy_object(key);
  } catch (const Error&) {
    for (const KeyObject& half : marked) store_label(session, half.handle, half.label);
    throw;
  }
}

void destroy_rest(Session& session, const Pkix& pkix, const Entry& entry, const std::vector<Entry>& entries) {
  std::vector<CertificateObject> retired = read_certificates(session, pkix, objects_of(CKO_CERTIFICATE));
  std::erase_if(retired, [&](const CertificateObject& object) {
    return !belongs_to(object, entry) || is_of_any(object, entries);
  });
  retire(session, pkix, retired, entries);
  destroy_unneeded_issuers(session, pkix, entries);
  for (const KeyObject& half : public_keys_of(session, pkix, entry)) {
    if (!is_of_any(half, entries)) destroy_if_there(session, half.handle);
  }
}

void destroy_unreadable(Session& session, const Pkix& pkix, const UnreadableObject& object) {
  std::vector<UnreadableObject> found = unreadable_objects(read_all(session, pkix));
  std::erase_if(found, [&](const UnreadableObject& other) {
    return other.object_class != object.object_class || other.label != object.label || other.id != object.id;
  });
  if (found.size() > 1) {
    throw Error(pkcs11::ErrorClass::client, "several are a " + name_of(object) +
                                                ", and no CKA_ID tells them apart; give each one of its own "
                                                "with pkcs11-tool --set-id");
  }
  const auto same = [&] {
    Template search = objects_of(object.object_class);
    search.text(CKA_LABEL, object.label).bytes(CKA_ID, object.id);
    return search;
  };
  const auto namesakes = session.find_token_objects(same());
  if (found.empty() || namesakes.size() != 1) {
    throw Error(pkcs11::ErrorClass::client,
                "the " + name_of(object) + " is not as it was; look with keystay -list");
  }
  session.destroy_object(namesakes.front());
  require_gone(session, namesakes.front(), same());
}

}  // namespace keystay::keys
