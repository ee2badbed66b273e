#include "native/keys/name_holders.h"

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "native/keys/alias_name.h"
#include "native/keys/alias_state.h"
#include "native/keys/entry_join.h"
#include "native/keys/unfinished_label.h"
#include "native/pkcs11/error.h"
#include "native/pkcs11/unicode.h"

namespace keystay::keys {
namespace {

using pkcs11::ByteView;
using pkcs11::Error;
using pkcs11::ErrorClass;
using pkcs11::Session;
using pkcs11::Template;

std::vector<KeyObject> public_keys_of(Session& session, const KeyObject& key) {
  if (key.id.empty()) return {};
  Template search = objects_of(CKO_PUBLIC_KEY);
  search.bytes(CKA_ID, key.id);
  return pkcs11::read_keys(session, std::move(search));
}

bool has_unfinished_public_key(Session& session, const KeyObject& key) {
  return std::ranges::any_of(public_keys_of(session, key),
                             [](const KeyObject& half) { return is_unfinished_label(half.label); });
}

// Of a version of the alias that is the private key's label.
bool is_versions(const KeyObject& half, const KeyObject& key) {
  const AliasVersion version = version_of(half.label);
  return version.state == AliasState::kept && version.alias == key.label;
}

bool gives_way(Session& session, const KeyObject& key) {
  return std::ranges::any_of(public_keys_of(session, key), [&](const KeyObject& half) {
    return is_unfinished_label(half.label) || is_versions(half, key);
  });
}

// A deactivated alias keeps its name from others.
std::string name_in(std::string_view label) {
  const AliasVersion version = version_of(label);
  return version.state == AliasState::deactivated ? version.alias : std::string(label);
}

// Names of other states are given by the alias that they are of.
void require_name(std::string_view label) { require_alias_name(version_of(label).alias); }

// C_FindObjects knows no letter case, so all labels are read, and the certificates of those that fit.
std::vector<CertificateObject> certificates_alike(Session& session, const Pkix& pkix,
                                                  std::string_view alias) {
  constexpr CK_ATTRIBUTE_TYPE kLabel[] = {CKA_LABEL};
  std::vector<CertificateObject> found;
  for (const CK_OBJECT_HANDLE handle : session.find_token_objects(objects_of(CKO_CERTIFICATE))) {
    if (!are_alike(session.attributes(handle, kLabel).text(CKA_LABEL), alias)) continue;
    if (auto certificate = read_certificate(session, pkix, handle)) found.push_back(*std::move(certificate));
  }
  return found;
}

[[noreturn]] void refuse(std::string_view alias, const std::string& holder, const char* kind) {
  std::string message = quoted_alias(holder) + " already exists" + kind;
  if (holder != alias && are_alike(holder, alias)) message += "; letter case does not tell names apart";
  throw Error(ErrorClass::client, message + "; delete it first or take another name");
}

}  // namespace

std::vector<NameHolder> other_holders(Session& session, std::string_view alias, const OwnKey& own,
                                      ByteView own_id) {
  std::vector<NameHolder> other_holders;
  for (const KeyObject& key : pkcs11::read_keys(session, objects_of(CKO_PRIVATE_KEY))) {
    if (key.handle == own.handle || !are_alike(name_in(key.label), name_in(alias))) continue;
    // The same CKA_ID: a copy of this key.
    if (!own_id.empty() && std::ranges::equal(key.id, own_id)) continue;
    other_holders.push_back({key.id, key.label, has_unfinished_public_key(session, key)});
  }
  return other_holders;
}

std::optional<std::string> certificate_with_name(Session& session, const Pkix& pkix, std::string_view alias,
                                                 const IsOwn& is_own) {
  auto certificates = certificates_alike(session, pkix, alias);
  std::erase_if(certificates, is_own);
  if (certificates.empty()) return std::nullopt;
  const TokenObjects objects = read_all(session, pkix);
  const ObjectIndex index(objects);
  PublicKeySet labelled_keys;
  for (const KeyObject& key : objects.private_keys) {
    const auto half = key.label.empty() ? std::nullopt : public_half(key, index);
    if (half) labelled_keys.insert(half->key);
  }
  for (const CertificateObject& object : certificates) {
    const auto& certified = object.certificate.public_key;
    if (!certified || !labelled_keys.contains(*certified)) return object.label;
  }
  return std::nullopt;
}

std::optional<std::string> secret_key_with_name(Session& session, std::string_view alias,
                                                CK_OBJECT_HANDLE own) {
  constexpr CK_ATTRIBUTE_TYPE kLabel[] = {CKA_LABEL};
  for (const CK_OBJECT_HANDLE handle : session.find_token_objects(objects_of(CKO_SECRET_KEY))) {
    if (handle == own) continue;
    std::string label = session.attributes(handle, kLabel).text(CKA_LABEL);
    if (are_alike(name_in(label), name_in(alias))) return label;
  }
  return std::nullopt;
}

bool is_taken(Session& session, const Pkix& pkix, std::string_view alias, CK_OBJECT_HANDLE secret_key) {
  const auto is_nobodys = [](const CertificateObject&) { return false; };
  return !other_holders(session, alias).empty() || secret_key_with_name(session, alias, secret_key) ||
         certificate_with_name(session, pkix, alias, is_nobodys);
}

IsOwn certifies(const Entry& entry) {
  return [&entry](const CertificateObject& object) {
    return object.certificate.public_key == entry.key.public_key();
  };
}

void require_unused(Session& session, const Pkix& pkix, std::string_view alias, const OwnKey& own) {
  require_name(alias);
  if (const auto keys = other_holders(session, alias, own); !keys.empty())
    refuse(alias, keys.front().label, "");
  if (const auto label = secret_key_with_name(session, alias, own.secret_key))
    refuse(alias, *label, " as a secret key");
  const IsOwn is_own = own.entry ? certifies(*own.entry) : [](const CertificateObject&) { return false; };
  if (const auto label = certificate_with_name(session, pkix, alias, is_own))
    refuse(alias, *label, " as a trusted certificate");
}

std::set<CK_OBJECT_HANDLE> claims(const TokenObjects& objects) {
  std::unordered_map<std::string, unsigned> namesakes;
  for (const KeyObject& key : objects.private_keys) ++namesakes[pkcs11::case_folded(key.label)];
  std::set<CK_OBJECT_HANDLE> claims;
  for (const KeyObject& key : objects.private_keys) {
    if (key.id.empty() || namesakes[pkcs11::case_folded(key.label)] < 2) continue;
    const bool is_unfinished = std::ranges::any_of(objects.public_keys, [&](const KeyObject& half) {
      return half.id == key.id && is_unfinished_label(half.label);
    });
    if (is_unfinished) claims.insert(key.handle);
  }
  return claims;
}

std::map<CK_OBJECT_HANDLE, std::string> followed(const TokenObjects& objects) {
  std::unordered_map<std::string, unsigned> namesakes;
  for (const KeyObject& key : objects.private_keys) ++namesakes[key.label];
  std::map<CK_OBJECT_HANDLE, std::string> followed;
  for (const KeyObject& key : objects.private_keys) {
    if (key.id.empty() || namesakes[key.label] < 2) continue;
    for (const KeyObject& half : objects.public_keys) {
      if (half.id == key.id && is_versions(half, key)) followed.emplace(key.handle, half.label);
    }
  }
  return followed;
}

void drop_claims(Session& session, std::vector<KeyObject>& private_keys) {
  if (private_keys.size() < 2) return;
  std::erase_if(private_keys, [&](const KeyObject& key) { return gives_way(session, key); });
}

}  // namespace keystay::keys
