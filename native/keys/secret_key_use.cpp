#include "native/keys/secret_key_use.h"

#include <utility>

#include "native/keys/token_objects.h"
#include "native/pkcs11/error.h"
#include "native/pkcs11/key_search.h"
#include "native/pkcs11/session.h"

namespace keystay::keys {
namespace {

using pkcs11::Bytes;
using pkcs11::ByteView;
using pkcs11::Error;
using pkcs11::Session;
using pkcs11::Template;

bool is_there(Session& session, const SecretKey& key) {
  Template search = objects_of(CKO_SECRET_KEY);
  if (key.reference.id().empty())
    search.text(CKA_LABEL, key.reference.label());
  else
    search.bytes(CKA_ID, key.reference.id());
  return !session.find_token_objects(std::move(search)).empty();
}

}  // namespace

Bytes mac(KeySource& source, const SecretKey& key, pkcs11::Hash hash,
          const std::function<NextPart()>& rewind) {
  Bytes result(pkcs11::size_of(hash));
  bool found = false;
  try {
    source.search([&](Session& session) {
      found = is_there(session, key);
      if (!found) return false;
      const CK_OBJECT_HANDLE handle = pkcs11::find_usable_private_key(session, key.reference);
      const NextPart next = rewind();
      session.begin_mac(handle, pkcs11::Mac{hash});
      for (ByteView part = next(); !part.empty(); part = next()) session.continue_mac(part);
      result.resize(session.end_mac(result));
      return true;
    });
  } catch (const Error& error) {
    throw error.on(key.reference.name());
  }
  if (found) return result;
  throw Error(pkcs11::ErrorClass::client,
              key.reference.name() + " is not on " + source.name() + " any more; was it deleted?");
}

}  // namespace keystay::keys
