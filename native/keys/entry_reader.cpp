#include "native/keys/entry_reader.h"

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "native/keys/alias_lookup.h"
#include "native/keys/alias_name.h"
#include "native/keys/entry_join.h"
#include "native/keys/listing.h"
#include "native/keys/name_holders.h"
#include "native/keys/unfinished_label.h"
#include "native/pkcs11/error.h"
#include "native/pkcs11/text.h"
#include "native/pkcs11/unicode.h"

namespace keystay::keys {
namespace {

using pkcs11::ByteView;
using pkcs11::Error;
using pkcs11::ErrorClass;
using pkcs11::Session;
using pkcs11::Template;

// All that may belong to the key which these name; an empty one names any.
TokenObjects read_named(Session& session, const Pkix& pkix, std::string_view label, ByteView id) {
  if (!id.empty()) return read_by_id(session, pkix, id);
  Template search;
  if (!label.empty()) search.text(CKA_LABEL, label);
  return read_matching(session, pkix, std::move(search));
}

[[noreturn]] void fail_ambiguous(std::string_view label, const std::vector<KeyObject>& keys) {
  std::set<pkcs11::Bytes> ids;
  std::string listed;
  for (const KeyObject& key : keys) {
    ids.insert(key.id);
    listed +=
        (listed.empty() ? "" : ", ") +
        (label.empty() || key.id.empty() ? "\"" + pkcs11::printable(key.label) + "\"" : id_alias(key.id));
  }
  const std::string what = label.empty() ? "the CKA_ID " + pkcs11::hex(keys.front().id) : quoted_alias(label);
  throw Error(ErrorClass::client,
              what + " matches several private keys" +
                  (label.empty() ? ": " + listed + "; name one by its label too"
                   : ids.size() < keys.size() || std::ranges::any_of(ids, &pkcs11::Bytes::empty)
                       ? ", which no CKA_ID tells apart: " + listed +
                             "; give each a CKA_ID of its own with "
                             "pkcs11-tool --set-id"
                       : "; name one by its id: " + listed));
}

// Whether the key objects tell all about it. Not of an RSA key: only a certificate says that it is one of
// RSASSA-PSS (RFC 4055, section 1.2). Nor where a certificate shows the public half: there may be a public
// key object of another label, which would have to be asked first.
bool known_without_certificates(const KeyObject& key, const TokenObjects& objects) {
  if (key.type == CKK_RSA) return false;
  const auto half = public_half(key, ObjectIndex(objects));
  return half && half->source != PublicHalfSource::certificate;
}

// Also true where the public half is unknown, which is an error that the caller reports.
bool has_leaf(const KeyObject& key, const TokenObjects& objects) {
  const ObjectIndex index(objects);
  const auto half = public_half(key, index);
  return !half || leaf_of(key, half->key, index);
}

}  // namespace

EntryReader::EntryReader(std::shared_ptr<pkcs11::KeyOperations> operations, const Pkix& pkix)
    : operations_(std::move(operations)), pkix_(pkix) {}

std::vector<Entry> EntryReader::keys(const TokenObjects& objects) const {
  const ObjectIndex index(objects);
  std::vector<Entry> entries;
  for (const KeyObject& key : objects.private_keys) {
    if (std::optional<Entry> entry = join(key, index, operations_)) entries.push_back(std::move(*entry));
  }
  return entries;
}

std::vector<Entry> EntryReader::aliases(const TokenObjects& objects) const {
  const ObjectIndex index(objects);
  const std::set<CK_OBJECT_HANDLE> unnamed = claims(objects);
  const std::map<CK_OBJECT_HANDLE, std::string> versions = followed(objects);
  std::vector<Entry> entries;
  for (const KeyObject& key : objects.private_keys) {
    if (is_unfinished_label(key.label) || unnamed.contains(key.handle)) continue;
    std::optional<Entry> entry = join(key, index, operations_);
    if (!entry) continue;
    if (const auto version = versions.find(key.handle); version != versions.end())
      entry->alias = version->second;
    entries.push_back(std::move(*entry));
  }
  name_apart(entries);
  return entries;
}

EntryReader::Key EntryReader::joined(const KeyObject& key, const TokenObjects& objects) const {
  const ObjectIndex index(objects);
  if (std::optional<Entry> entry = join(key, index, operations_)) return std::move(*entry);
  return UnreadableObject{CKO_PRIVATE_KEY, key.label, key.id, why_unknown(key, index)};
}

std::optional<Entry> EntryReader::find(Session& session, std::string_view label, ByteView id,
                                       Parts parts) const {
  std::optional<Key> key = find_key(session, label, id, parts);
  if (!key) return std::nullopt;
  if (const auto* object = std::get_if<UnreadableObject>(&*key)) throw unusable(*object);
  return std::get<Entry>(*std::move(key));
}

std::optional<Entry> EntryReader::find_again(Session& session, const pkcs11::KeyReference& reference) const {
  const TokenObjects objects =
      reference.id().empty() ? read_all(session, pkix_) : read_by_id(session, pkix_, reference.id());
  const ObjectIndex index(objects);
  std::vector<KeyObject> found = objects.private_keys;
  std::erase_if(found, [&](const KeyObject& key) {
    const auto half = public_half(key, index);
    return key.id != reference.id() || (key.id.empty() && key.label != reference.label()) || !half ||
           half->key != reference.public_key();
  });
  const auto has_label = [&](const KeyObject& key) { return key.label == reference.label(); };
  if (found.size() > 1 && std::ranges::any_of(found, has_label)) std::erase_if(found, std::not_fn(has_label));
  if (found.empty()) return std::nullopt;
  if (found.size() > 1) fail_ambiguous({}, found);
  return find(session, found.front().label, reference.id(), Parts::key_and_leaf);
}

std::optional<EntryReader::Key> EntryReader::find_key(Session& session, std::string_view label, ByteView id,
                                                      Parts parts) const {
  TokenObjects objects = read_named(session, pkix_, label, id);
  std::vector<KeyObject> found = objects.private_keys;
  std::erase_if(found, [&](const KeyObject& key) { return !label.empty() && key.label != label; });
  drop_claims(session, found);
  if (found.empty()) return std::nullopt;
  if (found.size() > 1) fail_ambiguous(label, found);
  const KeyObject key = found.front();
  if (parts == Parts::key && known_without_certificates(key, objects)) {
    objects.certificates.clear();
    return joined(key, objects);
  }
  if (id.empty()) objects = key.id.empty() ? read_all(session, pkix_) : read_by_id(session, pkix_, key.id);
  if (!has_leaf(key, objects) && !is_unfinished_label(key.label)) {  // which no other program knows
    // No rule of PKCS #11, but other programs do it: the certificate has the label or only the public key in
    // common.
    objects.certificates = read_certificates(session, pkix_, objects_of(CKO_CERTIFICATE));
  }
  return joined(key, objects);
}

}  // namespace keystay::keys
