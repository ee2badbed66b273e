#include "native/keys/unfinished_object.h"

#include <algorithm>
#include <set>
#include <unordered_map>

#include "native/keys/chain.h"
#include "native/keys/entry_join.h"
#include "native/keys/name_holders.h"
#include "native/keys/object_index.h"
#include "native/keys/stored_object.h"
#include "native/keys/unfinished_label.h"

namespace keystay::keys {
namespace {

using pkcs11::Session;

bool made_by_the_token(Session& session, CK_OBJECT_HANDLE key) {
  constexpr CK_ATTRIBUTE_TYPE kLocal[] = {CKA_LOCAL};
  return session.attributes(key, kLocal).flag(CKA_LOCAL).value_or(false);
}

class Search final {
 public:
  Search(Session& session, const TokenObjects& objects, const std::vector<Entry>& entries)
      : session_(session), objects_(objects), index_(objects), claims_(claims(objects)) {
    for (const Entry& entry : entries) aliases_.emplace(entry.key.public_key(), &entry);
    for (const KeyObject& key : objects.private_keys) {
      if (const auto half = public_half(key, index_)) private_.insert(half->key);
    }
  }

  std::vector<UnfinishedObject> run() {
    for (const KeyObject& key : objects_.private_keys) look_at_private(key);
    for (const KeyObject& key : objects_.public_keys) look_at_public(key);
    for (const CertificateObject& object : objects_.certificates) look_at(object);
    return std::move(found_);
  }

 private:
  void look_at_private(const KeyObject& key) {
    if (is_unfinished_label(key.label)) {
      add(Leftover::unnamed, CKO_PRIVATE_KEY, key);
    } else if (claims_.contains(key.handle)) {
      add(Leftover::claim, CKO_PRIVATE_KEY, key);
    }
  }

  void look_at_public(const KeyObject& key) {
    if (is_unfinished_label(key.label)) {
      if (key.public_key && !private_.contains(*key.public_key)) halves_.push_back(&key);
      add_labelled(CKO_PUBLIC_KEY, key, key.public_key);
    } else if (is_half(key)) {
      halves_.push_back(&key);
      add(Leftover::public_half, CKO_PUBLIC_KEY, key);
    } else if (const Entry* entry = alias_of(key.public_key); entry && is_second(key, *entry)) {
      add(Leftover::superseded, CKO_PUBLIC_KEY, key, entry->alias);
    }
  }

  void look_at(const CertificateObject& object) {
    if (is_unfinished_label(object.label)) {
      add_labelled(CKO_CERTIFICATE, object, object.certificate.public_key);
    } else if (is_leaf_of_half(object)) {
      add(Leftover::leaf, CKO_CERTIFICATE, object);
    } else if (const Entry* entry = alias_of(object.certificate.public_key);
               entry && is_replaced(object, *entry)) {
      add(Leftover::superseded, CKO_CERTIFICATE, object, entry->alias);
    }
  }

  // A public key that others keep on the token was not made by it. A private key of its CKA_ID is its own
  // only if that one's public half is not known: another key may have the same id.
  bool is_half(const KeyObject& key) {
    if (!key.public_key || private_.contains(*key.public_key)) return false;
    const bool may_have_private = std::ranges::any_of(objects_.private_keys, [&](const KeyObject& other) {
      return other.type == key.type && other.id == key.id && (!key.id.empty() || other.label == key.label) &&
             !public_half(other, index_);
    });
    return !may_have_private && made_by_the_token(session_, key.handle);
  }

  bool is_leaf_of_half(const CertificateObject& object) const {
    return !is_issuer_label(object.label) && std::ranges::any_of(halves_, [&](const KeyObject* half) {
      return object.certificate.public_key == half->public_key &&
             (object.label == half->label || (!half->id.empty() && object.id == half->id));
    });
  }

  const Entry* alias_of(const std::optional<pkcs11::PublicKey>& key) const {
    const auto found = key ? aliases_.find(*key) : aliases_.end();
    return found == aliases_.end() ? nullptr : found->second;
  }

  // Keystay's own leaves have label and CKA_ID of their key; it keeps one.
  static bool is_replaced(const CertificateObject& object, const Entry& entry) {
    const pkcs11::KeyReference& key = entry.key.reference();
    return !key.id().empty() && object.id == key.id() && !key.label().empty() &&
           object.label == key.label() && entry.leaf && object.certificate.der != entry.leaf->der;
  }

  // Beside the public key object that the label joins to the key.
  bool is_second(const KeyObject& key, const Entry& entry) const {
    const pkcs11::KeyReference& reference = entry.key.reference();
    if (!reference.id().empty() || !key.id.empty() || key.label == reference.label()) return false;
    return std::ranges::any_of(objects_.public_keys, [&](const KeyObject& other) {
      return other.id.empty() && other.label == reference.label() && other.public_key == key.public_key;
    });
  }

  static std::optional<pkcs11::PublicKey> key_of(const KeyObject& key) { return key.public_key; }
  static std::optional<pkcs11::PublicKey> key_of(const CertificateObject& object) {
    return object.certificate.public_key;
  }

  void add(Leftover leftover, CK_OBJECT_CLASS object_class, const auto& object, std::string alias = {}) {
    found_.push_back(
        {{leftover, object_class, object.label, object.id, std::move(alias), key_of(object)}, object.handle});
  }

  void add_labelled(CK_OBJECT_CLASS object_class, const auto& object,
                    const std::optional<pkcs11::PublicKey>& key) {
    if (const Entry* entry = alias_of(key)) {
      add(Leftover::label, object_class, object, entry->key.reference().label());
    } else {
      add(Leftover::unnamed, object_class, object);
    }
  }

  Session& session_;
  const TokenObjects& objects_;
  ObjectIndex index_;
  std::unordered_map<pkcs11::PublicKey, const Entry*, PublicKeyHash> aliases_;
  std::set<CK_OBJECT_HANDLE> claims_;
  PublicKeySet private_;                  // public keys of all private keys
  std::vector<const KeyObject*> halves_;  // public keys of which nobody has the private one
  std::vector<UnfinishedObject> found_;
};

}  // namespace

std::vector<UnfinishedObject> find_unfinished(Session& session, const TokenObjects& objects,
                                              const std::vector<Entry>& entries) {
  return Search(session, objects, entries).run();
}

void order_for_removal(std::vector<UnfinishedObject>& unfinished) {
  std::ranges::stable_sort(unfinished, {}, [](const UnfinishedObject& object) {
    if (object.object_class == CKO_PUBLIC_KEY) return 2;
    return object.object_class == CKO_PRIVATE_KEY ? 1 : 0;
  });
}

void remove(Session& session, const UnfinishedObject& unfinished) {
  if (unfinished.leftover == Leftover::label) {
    store_label(session, unfinished.handle, unfinished.alias);
  } else {
    destroy_if_there(session, unfinished.handle);
  }
}

std::vector<UnfinishedObject> leftovers_of(std::string_view alias,
                                           const std::vector<UnfinishedObject>& unfinished) {
  const auto has_name = [&](const UnfinishedObject& object) {
    return object.label == alias && object.leftover != Leftover::label;
  };
  PublicKeySet keys;
  for (const UnfinishedObject& object : unfinished) {
    if (has_name(object) && object.public_key) keys.insert(*object.public_key);
  }
  std::vector<UnfinishedObject> found;
  if (std::ranges::none_of(unfinished, has_name)) return found;
  for (const UnfinishedObject& object : unfinished) {
    const bool is_issuer = object.leftover == Leftover::issuer;
    const bool is_of_key = object.public_key && keys.contains(*object.public_key);
    if (is_issuer || object.label == alias || is_of_key) found.push_back(object);
  }
  std::stable_partition(found.begin(), found.end(),
                        [](const UnfinishedObject& object) { return object.object_class != CKO_PUBLIC_KEY; });
  return found;
}

void drop_leftovers(std::vector<CertificateObject>& certificates,
                    const std::vector<UnfinishedObject>& unfinished) {
  std::set<CK_OBJECT_HANDLE> handles;
  for (const UnfinishedObject& object : unfinished) {
    const bool is_leftover = object.object_class == CKO_CERTIFICATE &&
                             (object.leftover == Leftover::unnamed || object.leftover == Leftover::leaf);
    if (is_leftover) handles.insert(object.handle);
  }
  std::erase_if(certificates,
                [&](const CertificateObject& object) { return handles.contains(object.handle); });
}

}  // namespace keystay::keys
