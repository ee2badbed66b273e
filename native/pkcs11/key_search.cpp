#include "native/pkcs11/key_search.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "native/pkcs11/error.h"
#include "native/pkcs11/key_object.h"
#include "native/pkcs11/stated_key.h"

namespace keystay::pkcs11 {
namespace {

// The public halves that the token shows for a private key: the one on the object itself, else those of the
// public key objects with the same id and type, and the same label where there are such.
std::vector<PublicKey> public_halves(Session& session, const KeyObject& private_key) {
  if (private_key.public_key) return {*private_key.public_key};
  if (private_key.id.empty()) return {};
  Template search;
  search.number(CKA_CLASS, CKO_PUBLIC_KEY)
      .number(CKA_KEY_TYPE, private_key.type)
      .bytes(CKA_ID, private_key.id);
  std::vector<KeyObject> keys = read_keys(session, std::move(search));
  std::erase_if(keys, [](const KeyObject& key) { return !key.public_key; });
  const auto other_label = [&](const KeyObject& key) { return key.label != private_key.label; };
  if (!std::ranges::all_of(keys, other_label)) std::erase_if(keys, other_label);
  std::vector<PublicKey> halves;
  for (KeyObject& key : keys) halves.push_back(*std::move(key.public_key));
  return halves;
}

enum class Fit { no, yes, unclear };

// A key that shows no public half is told by its id alone. Of public keys that differ one belongs to another
// private key, or was left behind by one that is gone, and nothing says which.
Fit fit(Session& session, const KeyObject& candidate, const KeyReference& key) {
  if (!key.public_key()) return Fit::yes;
  const std::vector<PublicKey> shown = public_halves(session, candidate);
  const auto fitting =
      std::ranges::count_if(shown, [&](const PublicKey& half) { return states(half, *key.public_key()); });
  if (fitting != 0 && fitting != std::ssize(shown)) return Fit::unclear;
  return shown.empty() || fitting != 0 ? Fit::yes : Fit::no;
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
  Fit last = Fit::no;  // of a candidate that stays
  std::erase_if(found, [&](const KeyObject& candidate) {
    const Fit fitting = fit(session, candidate, key);
    if (fitting != Fit::no) last = fitting;
    return fitting == Fit::no;
  });

  if (found.size() == 1 && last == Fit::unclear) {
    throw Error(ErrorClass::client,
                "several public keys with the CKA_ID of the private key match it; destroy those that are not "
                "its own");
  }
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
