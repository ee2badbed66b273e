#include "native/pkcs11/key_search.h"

#include <utility>
#include <vector>

#include "native/pkcs11/error.h"
#include "native/pkcs11/key_object.h"

namespace keystay::pkcs11 {
namespace {

// The public half on the private key object itself, else on the public key object with the same id.
std::optional<PublicKey> public_half(Session& session, const KeyObject& private_key) {
  if (private_key.public_key || private_key.id.empty()) return private_key.public_key;
  Template search;
  search.number(CKA_CLASS, CKO_PUBLIC_KEY).bytes(CKA_ID, private_key.id);
  for (KeyObject& key : read_keys(session, std::move(search))) {
    if (key.public_key) return std::move(key.public_key);
  }
  return std::nullopt;
}

// A key that shows no public half is told by its id alone.
bool is(Session& session, const KeyObject& candidate, const KeyReference& key) {
  if (!key.public_key()) return true;
  const std::optional<PublicKey> shown = public_half(session, candidate);
  return !shown || *shown == *key.public_key();
}

}  // namespace

CK_OBJECT_HANDLE find_private_key(Session& session, const KeyReference& key) {
  Template search;
  search.number(CKA_CLASS, CKO_PRIVATE_KEY).number(CKA_KEY_TYPE, key.type());
  if (key.id().empty()) {
    search.text(CKA_LABEL, key.label());
  } else {
    search.bytes(CKA_ID, key.id());
  }
  std::vector<KeyObject> found = read_keys(session, std::move(search));
  const std::size_t namesakes = found.size();
  std::erase_if(found, [&](const KeyObject& candidate) { return !is(session, candidate, key); });

  if (found.size() == 1) return found.front().handle;
  if (namesakes > 1) {
    throw Error(ErrorClass::client, "several private keys match; give each a CKA_ID of its own");
  }
  throw Error(ErrorClass::client,
              namesakes == 1
                  ? "the private key on the token is another one than the one that was loaded; load "
                    "it again, from a new reference file if there is one"
                  : "no such private key on the token; was it deleted?");
}

}  // namespace keystay::pkcs11
