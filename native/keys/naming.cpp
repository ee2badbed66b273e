#include "native/keys/naming.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "native/keys/alias_name.h"
#include "native/keys/entry_join.h"
#include "native/keys/name_holders.h"
#include "native/keys/stored_object.h"
#include "native/keys/unfinished_label.h"
#include "native/pkcs11/error.h"
#include "native/pkcs11/key_search.h"
#include "native/pkcs11/unicode.h"

namespace keystay::keys {
namespace {

using namespace std::chrono_literals;
using pkcs11::ByteView;
using pkcs11::Error;
using pkcs11::ErrorClass;
using pkcs11::Session;
using pkcs11::Template;

// How long a claim waits for another one to give way: whoever made that one may be as slow as its token.
constexpr auto kGivingWayTakes = 5s;
constexpr auto kBetweenLooks = 5ms;

Template labelled(CK_OBJECT_CLASS object_class, std::string_view label) {
  Template search = objects_of(object_class);
  search.text(CKA_LABEL, label);
  return search;
}

[[noreturn]] void refuse_taken(std::string_view alias) {
  throw Error(ErrorClass::client, quoted_alias(alias) +
                                      " was taken by somebody else at the same moment; look with keystay "
                                      "-list, and take another name if it is not what you want");
}

enum class Look { nobody_else, give_way, again };

// What a new key does about the others with its label.
Look look_as_claim(const std::vector<NameHolder>& others, ByteView own_id) {
  if (others.empty()) return Look::nobody_else;
  const bool comes_first = std::ranges::all_of(others, [&](const NameHolder& other) {
    return other.is_claim && std::ranges::lexicographical_compare(own_id, other.id);
  });
  return comes_first ? Look::again : Look::give_way;
}

// What a key does that has been an alias before: claims give way to it.
Look look_as_alias(const std::vector<NameHolder>& others) {
  if (others.empty()) return Look::nobody_else;
  return std::ranges::all_of(others, &NameHolder::is_claim) ? Look::again : Look::give_way;
}

// True once no other key has the label; false if this key has to give way.
template <typename Decide>
bool prevails(const Decide& decide) {
  const auto until = std::chrono::steady_clock::now() + kGivingWayTakes;
  for (;;) {
    const Look look = decide();
    if (look != Look::again) return look == Look::nobody_else;
    if (std::chrono::steady_clock::now() >= until) return false;
    std::this_thread::sleep_for(kBetweenLooks);
  }
}

// The objects of one key pair and its certificates.
TokenObjects objects_of_key(Session& session, const Pkix& pkix, const Entry& entry) {
  const pkcs11::Bytes& id = entry.key.reference().id();
  TokenObjects objects = id.empty() ? read_all(session, pkix) : read_by_id(session, pkix, id);
  const TokenObjects all = objects;
  const ObjectIndex index(all);
  std::erase_if(objects.private_keys, [&](const KeyObject& key) {
    const auto half = public_half(key, index);
    return half && half->key != entry.key.public_key();
  });
  std::erase_if(objects.public_keys, [&](const KeyObject& key) {
    return !key.public_key || key.public_key != entry.key.public_key();
  });
  std::erase_if(objects.certificates, [&](const CertificateObject& object) {
    return object.certificate.public_key != entry.key.public_key();
  });
  return objects;
}

// True in a repetition, after the session was lost behind that step.
bool has_label(const TokenObjects& objects, CK_OBJECT_HANDLE private_key, std::string_view label) {
  return std::ranges::any_of(objects.private_keys, [&](const KeyObject& key) {
    return key.handle == private_key && key.label == label;
  });
}

// PKCS #11 joins a key without CKA_ID to its public key object by the label alone, so there has to be one
// under each of the two names until the private key has changed. Returns the one under the new name.
std::optional<CK_OBJECT_HANDLE> publish_under(Session& session, const TokenObjects& objects,
                                              std::string_view alias) {
  const auto under_it = std::ranges::find(objects.public_keys, alias, &KeyObject::label);
  if (under_it != objects.public_keys.end()) return under_it->handle;
  if (objects.public_keys.empty()) return std::nullopt;
  const CK_OBJECT_HANDLE copy =
      session.copy_object(objects.public_keys.front().handle, std::move(Template().text(CKA_LABEL, alias)));
  require_stored(session, copy, labelled(CKO_PUBLIC_KEY, alias), "C_CopyObject");
  return copy;
}

// Certificates that the alias has by its name or its CKA_ID; others of its key have names of their own.
bool belongs_to(const CertificateObject& object, const Entry& entry) {
  const pkcs11::Bytes& id = entry.key.reference().id();
  return (!id.empty() && object.id == id) || object.label == entry.name();
}

// Whether any object has the label.
bool is_label(Session& session, std::string_view label) {
  Template search;
  search.text(CKA_LABEL, label);
  return !session.find_token_objects(std::move(search)).empty();
}

// An object that changes its label with its key, and the label that it has.
struct Labelled {
  CK_OBJECT_HANDLE handle;
  std::string label;
};

// The certificates, and the public key where the CKA_ID joins it.
std::vector<Labelled> others_of(const TokenObjects& objects, const Entry& entry) {
  std::vector<Labelled> others;
  for (const CertificateObject& object : objects.certificates) {
    if (belongs_to(object, entry)) others.push_back({object.handle, object.label});
  }
  if (entry.key.reference().id().empty()) return others;
  for (const KeyObject& half : objects.public_keys) others.push_back({half.handle, half.label});
  return others;
}

}  // namespace

void name_unfinished(Session& session, const Pkix& pkix, const Entry& unfinished, std::string_view alias) {
  const pkcs11::KeyReference& key = unfinished.key.reference();
  const TokenObjects objects = objects_of_key(session, pkix, unfinished);
  const CK_OBJECT_HANDLE private_key = objects.private_keys.size() == 1
                                           ? objects.private_keys.front().handle
                                           : pkcs11::find_private_key(session, key);
  if (!has_label(objects, private_key, alias)) {
    // Whoever had this very name before keeps it without a moment of doubt; names alike are looked for below.
    if (is_label(session, alias)) require_unused(session, pkix, alias);
    store_label(session, private_key, alias);
  }
  const bool stays = prevails([&] {
    if (certificate_with_name(session, pkix, alias, certifies(unfinished)) ||
        secret_key_with_name(session, alias))
      return Look::give_way;
    return look_as_claim(other_holders(session, alias, {private_key}, key.id()), key.id());
  });
  if (!stays) {
    require_unused(session, pkix, alias, {private_key, &unfinished});  // says who has it
    refuse_taken(alias);
  }
  for (const KeyObject& half : objects.public_keys) {
    if (half.label == key.label()) store_label(session, half.handle, alias);
  }
  for (const CertificateObject& object : objects.certificates) {
    if (object.label == key.label()) store_label(session, object.handle, alias);
  }
}

void rename_alias(Session& session, const Pkix& pkix, const Entry& entry, std::string_view alias) {
  const pkcs11::KeyReference& key = entry.key.reference();
  const TokenObjects objects = objects_of_key(session, pkix, entry);
  if (objects.private_keys.empty()) static_cast<void>(find_unchanged(session, entry));
  const CK_OBJECT_HANDLE private_key = pkcs11::find_private_key(session, key);
  if (!has_label(objects, private_key, alias)) {
    static_cast<void>(find_unchanged(session, entry));
    require_unused(session, pkix, alias, {private_key, &entry});
  }
  // Before the private key, so that an interrupted renaming can be given again.
  const std::vector<Labelled> others = others_of(objects, entry);
  // For all of them or for none: each needs a page more while the next is asked for.
  if (alias.size() > key.label().size())
    require_room(session, others.size() + 2, alias.size() - key.label().size());
  std::optional<CK_OBJECT_HANDLE> published;
  if (key.id().empty()) published = publish_under(session, objects, alias);
  for (const Labelled& other : others) store_label(session, other.handle, alias);
  store_label(session, private_key, alias);
  const bool stays = prevails([&] {
    if (certificate_with_name(session, pkix, alias, certifies(entry)) || secret_key_with_name(session, alias))
      return Look::give_way;
    return look_as_alias(other_holders(session, alias, {private_key}, key.id()));
  });
  if (!stays) {
    store_label(session, private_key, key.label());
    for (const Labelled& other : others) store_label(session, other.handle, other.label);
    if (published) destroy_if_there(session, *published);
    refuse_taken(alias);
  }
  if (!published) return;
  for (const KeyObject& half : objects.public_keys) {
    if (half.handle != *published && half.label == key.label()) destroy_if_there(session, half.handle);
  }
}

void name_certificate(Session& session, const Pkix& pkix, CK_OBJECT_HANDLE certificate,
                      std::string_view alias) {
  store_label(session, certificate, alias);
  const auto is_own = [&](const CertificateObject& object) { return object.handle == certificate; };
  if (!other_holders(session, alias).empty() || secret_key_with_name(session, alias) ||
      certificate_with_name(session, pkix, alias, is_own))
    refuse_taken(alias);
}

namespace {

CK_OBJECT_HANDLE find_private_key_of(Session& session, const Entry& entry) {
  const pkcs11::KeyReference& key = entry.key.reference();
  try {
    return pkcs11::find_private_key(session, key);
  } catch (const Error& error) {
    if (error.error_class() != ErrorClass::client) throw;
    Template search = objects_of(CKO_PRIVATE_KEY);
    key.id().empty() ? search.text(CKA_LABEL, key.label()) : search.bytes(CKA_ID, key.id());
    if (!session.find_token_objects(std::move(search)).empty()) throw;
    throw Error(ErrorClass::client, quoted_alias(entry.alias) +
                                        " was deleted or given another name at the same moment; look with "
                                        "keystay -list");
  }
}

}  // namespace

CK_OBJECT_HANDLE find_unchanged(Session& session, const Entry& entry) {
  const pkcs11::KeyReference& key = entry.key.reference();
  const CK_OBJECT_HANDLE private_key = find_private_key_of(session, entry);
  constexpr CK_ATTRIBUTE_TYPE kLabel[] = {CKA_LABEL};
  const std::string label = session.attributes(private_key, kLabel).text(CKA_LABEL);
  if (label == key.label()) return private_key;
  throw Error(ErrorClass::client, quoted_alias(entry.alias) + " was given the name \"" +
                                      pkcs11::printable(label) + "\" at the same moment; nothing was done");
}

void take_back_name(Session& session, const Pkix& pkix, const Entry& unfinished, std::string_view alias) {
  const std::string& label = unfinished.key.reference().label();
  const TokenObjects objects = objects_of_key(session, pkix, unfinished);
  const auto has_it = [&](const auto& object) { return object.label == alias; };
  // Otherwise what has that label was there before.
  if (std::ranges::none_of(objects.private_keys, has_it)) return;
  for (const KeyObject& half : objects.public_keys) {
    if (has_it(half)) store_label(session, half.handle, label);
  }
  for (const CertificateObject& object : objects.certificates) {
    if (has_it(object)) store_label(session, object.handle, label);
  }
  for (const KeyObject& key : objects.private_keys) {
    if (has_it(key)) store_label(session, key.handle, label);
  }
}

}  // namespace keystay::keys
