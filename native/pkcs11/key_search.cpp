#include "native/pkcs11/key_search.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "native/pkcs11/deactivated_label.h"
#include "native/pkcs11/error.h"
#include "native/pkcs11/key_object.h"
#include "native/pkcs11/key_proof.h"
#include "native/pkcs11/shared_id.h"
#include "native/pkcs11/stated_key.h"

namespace keystay::pkcs11 {
namespace {

using Keys = std::vector<KeyObject>;

// The public halves that the token shows for a private key: the one on the object itself, else those of the
// public key objects that are its own by CKA_ID, type and label; by type and label where neither has a
// CKA_ID.
std::vector<PublicKey> public_halves(const KeyObject& private_key, const Keys& private_keys,
                                     const Keys& public_keys) {
  if (private_key.public_key) return {*private_key.public_key};
  if (private_key.id.empty()) {
    std::vector<PublicKey> labelled;
    for (const KeyObject& key : public_keys) {
      if (key.public_key && key.id.empty() && key.label == private_key.label)
        labelled.push_back(*key.public_key);
    }
    return labelled;
  }
  std::vector<const KeyObject*> sharing;
  for (const KeyObject& key : private_keys) {
    if (!key.public_key && key.id == private_key.id) sharing.push_back(&key);
  }
  std::vector<ShownHalf> shown;
  for (const KeyObject& key : public_keys) {
    if (key.public_key && key.id == private_key.id) shown.push_back({key.label, &*key.public_key});
  }
  return halves_shown_for(private_key, sharing, shown).keys;
}

// The public key objects that may say which of the private keys is meant: those with a CKA_ID of one of them
// that does not state its public half itself, or with its label where it has none. One search where they have
// one id.
Keys read_public_keys(Session& session, const KeyReference& key, const Keys& private_keys) {
  Keys public_keys;
  if (!key.public_key()) return public_keys;
  std::vector<ByteView> searched;
  for (const KeyObject& candidate : private_keys) {
    const ByteView id = candidate.id;
    if (candidate.public_key) continue;
    if (std::ranges::any_of(searched, [&](ByteView known) { return std::ranges::equal(known, id); }))
      continue;
    searched.push_back(id);
    Template search;
    search.number(CKA_CLASS, CKO_PUBLIC_KEY).number(CKA_KEY_TYPE, key.type());
    // Not by an empty CKA_ID: tokens differ in whether one that is not there matches.
    if (id.empty())
      search.text(CKA_LABEL, key.label());
    else
      search.bytes(CKA_ID, id);
    for (KeyObject& found : read_keys(session, std::move(search))) public_keys.push_back(std::move(found));
  }
  return public_keys;
}

enum class Fit { no, yes, unclear, unshown };

// A key that shows no public half is told by its id alone. Of public keys that differ one belongs to another
// private key, or was left behind by one that is gone, and nothing says which.
Fit fit(const std::vector<PublicKey>& shown, const KeyReference& key) {
  if (!key.public_key()) return Fit::yes;
  const auto fitting =
      std::ranges::count_if(shown, [&](const PublicKey& half) { return states(half, *key.public_key()); });
  if (fitting != 0 && fitting != std::ssize(shown)) return Fit::unclear;
  if (shown.empty()) return Fit::unshown;
  return fitting != 0 ? Fit::yes : Fit::no;
}

constexpr const char* kAnotherKey =
    "the private key on the token is another one than the one that was loaded; load it again, from a new "
    "reference file if there is one";

// Throws Error (client) where it is another one, or may be one for all that can be known.
void require_proof(Session& session, CK_OBJECT_HANDLE handle, const KeyReference& key, Fit shown) {
  if (!key.public_key()) return;
  switch (prove(session, handle, *key.public_key())) {
    case KeyProof::given:
      return;
    case KeyProof::refuted:
      throw Error(ErrorClass::client, std::string(kAnotherKey) + " (its signature is another's)");
    case KeyProof::impossible:
      break;
  }
  if (shown == Fit::unshown) {
    throw Error(ErrorClass::client,
                "nothing on the token shows that its private key is the one that is meant; store the public "
                "key beside it, with the same CKA_ID and label");
  }
}

std::string labels_of(const std::vector<const KeyObject*>& keys) {
  std::string labels;
  for (const KeyObject* key : keys) labels += (labels.empty() ? "\"" : ", \"") + key->label + "\"";
  return labels;
}

struct FoundKey {
  CK_OBJECT_HANDLE handle;
  std::string label;
};

FoundKey find(Session& session, const KeyReference& key) {
  const std::string kind = key.object_class() == CKO_SECRET_KEY ? "secret key" : "private key";
  Template search;
  search.number(CKA_CLASS, key.object_class()).number(CKA_KEY_TYPE, key.type());
  if (key.id().empty()) {
    search.text(CKA_LABEL, key.label());
  } else {
    search.bytes(CKA_ID, key.id());
  }
  const Keys namesakes = read_keys(session, std::move(search));
  const Keys public_keys = read_public_keys(session, key, namesakes);
  std::vector<const KeyObject*> found;
  Fit last = Fit::no;  // of a candidate that stays
  for (const KeyObject& candidate : namesakes) {
    const Fit fitting = fit(public_halves(candidate, namesakes, public_keys), key);
    if (fitting == Fit::no) continue;
    last = fitting;
    found.push_back(&candidate);
  }
  if (found.size() == 1 && last == Fit::unclear) {
    throw Error(ErrorClass::client,
                "several public keys with the CKA_ID of the private key match it; destroy those that are not "
                "its own");
  }
  if (found.size() == 1) {
    const CK_OBJECT_HANDLE handle = found.front()->handle;
    if (key.proof() == Proof::wanted) require_proof(session, handle, key, last);
    return {handle, found.front()->label};
  }
  if (found.size() > 1) {
    throw Error(ErrorClass::client,
                "several " + kind + "s match: " + labels_of(found) + "; give each a CKA_ID of its own");
  }
  throw Error(ErrorClass::client,
              !namesakes.empty() ? kAnotherKey : "no such " + kind + " on the token; was it deleted?");
}

}  // namespace

CK_OBJECT_HANDLE find_private_key(Session& session, const KeyReference& key) {
  return find(session, key).handle;
}

CK_OBJECT_HANDLE find_usable_private_key(Session& session, const KeyReference& key) {
  const FoundKey found = find(session, key);
  if (!is_deactivated_label(found.label) || found.label == key.label()) return found.handle;
  throw Error(ErrorClass::client,
              "the key is deactivated, as \"" + found.label + "\" on the token; keystay activate -alias " +
                  found.label.substr(kDeactivatedPrefix.size()) + " makes it usable again");
}

}  // namespace keystay::pkcs11
