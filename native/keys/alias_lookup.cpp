#include "native/keys/alias_lookup.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "native/keys/alias_name.h"
#include "native/pkcs11/error.h"
#include "native/pkcs11/text.h"
#include "native/pkcs11/unicode.h"

namespace keystay::keys {
namespace {

using pkcs11::Error;
using pkcs11::ErrorClass;

const pkcs11::Bytes& id_of(const Entry& entry) { return entry.key.reference().id(); }
const pkcs11::Bytes& id_of(const TrustedCertificate& certificate) { return certificate.id; }
const pkcs11::Bytes& id_of(const UnreadableObject& object) { return object.id; }
const pkcs11::Bytes& id_of(const SecretKey& key) { return key.reference.id(); }

const std::string& label_of(const auto& object) { return object.name(); }
const std::string& label_of(const UnreadableObject& object) { return object.label; }

std::string shown_name(const auto& object) { return object.alias; }
std::string shown_name(const UnreadableObject& object) {
  return object.label.empty() ? id_alias(object.id) : object.label;
}

// Numbers that no label has taken.
class Numbering final {
 public:
  explicit Numbering(std::set<std::string> taken) : taken_(std::move(taken)) {}

  [[nodiscard]] std::string next(const std::string& name, unsigned& number) const {
    std::string numbered;
    do {
      numbered = name + "#" + std::to_string(++number);
    } while (taken_.contains(numbered));
    return numbered;
  }

 private:
  std::set<std::string> taken_;
};

template <typename Object>
bool all_differ(const std::vector<Object>& sorted) {
  const auto same = [](const Object& a, const Object& b) { return a.alias == b.alias; };
  return std::adjacent_find(sorted.begin(), sorted.end(), same) == sorted.end();
}

template <typename Object>
void collect_names(const std::vector<Object>& objects, std::set<std::string>& names) {
  for (const Object& object : objects) names.insert(object.alias);
}

template <typename Object>
auto end_of_namesakes(typename std::vector<Object>::iterator first, std::vector<Object>& sorted) {
  return std::find_if(first, sorted.end(),
                      [&](const Object& object) { return object.alias != first->alias; });
}

// The matches of a name: pointers into what was searched.
struct Found {
  std::vector<const Entry*> keys;
  std::vector<const UnreadableObject*> unusable;  // private keys
  std::vector<const TrustedCertificate*> certificates;
  std::vector<const UnreadableObject*> unreadable;  // certificates
  std::vector<const SecretKey*> secret_keys;

  [[nodiscard]] std::size_t private_keys() const { return keys.size() + unusable.size(); }
  [[nodiscard]] std::size_t all_keys() const { return private_keys() + secret_keys.size(); }
  // An object that cannot be read as a certificate holds no name.
  [[nodiscard]] std::size_t size() const {
    const std::size_t readable = all_keys() + certificates.size();
    return readable > 0 ? readable : unreadable.size();
  }
  [[nodiscard]] Named only() const {
    if (!keys.empty()) return *keys.front();
    if (!unusable.empty()) return *unusable.front();
    if (!secret_keys.empty()) return *secret_keys.front();
    if (!certificates.empty()) return *certificates.front();
    return *unreadable.front();
  }
  // The key is meant, whatever certificates have the name.
  void drop_certificates() {
    certificates.clear();
    unreadable.clear();
  }
  // For use a private key goes before a secret one: servers sign by the name.
  void keep_keys(Purpose purpose) {
    if (private_keys() == 1 && purpose == Purpose::use) secret_keys.clear();
    if (all_keys() == 1) drop_certificates();
  }
};

bool is_private_key(const UnreadableObject& object) { return object.object_class == CKO_PRIVATE_KEY; }

template <typename Same>
Found find(const Nameable& among, const Same& same) {
  const auto is_it = [&](const auto& object) {
    return same(shown_name(object)) || same(label_of(object)) || same(id_alias(id_of(object)));
  };
  Found found;
  for (const Entry& entry : among.entries) {
    if (is_it(entry)) found.keys.push_back(&entry);
  }
  for (const SecretKey& key : among.secret_keys) {
    if (is_it(key)) found.secret_keys.push_back(&key);
  }
  for (const TrustedCertificate& certificate : among.trusted) {
    if (is_it(certificate)) found.certificates.push_back(&certificate);
  }
  for (const UnreadableObject& object : among.unreadable) {
    if (is_it(object)) (is_private_key(object) ? found.unusable : found.unreadable).push_back(&object);
  }
  return found;
}

// How each of several is named so that it is the only one: by its id; by what lists show where that is not
// its own, or where a key has it too.
class Distinction final {
 public:
  explicit Distinction(const Found& found) : found_(found) {
    for (const Entry* key : found.keys) add_key(*key);
    for (const UnreadableObject* key : found.unusable) add_key(*key);
    for (const SecretKey* key : found.secret_keys) add_key(*key);
    for (const TrustedCertificate* certificate : found.certificates) ++certificate_ids_[certificate->id];
    for (const UnreadableObject* certificate : found.unreadable) ++certificate_ids_[certificate->id];
  }

  [[nodiscard]] bool all_by_id() const { return all_by_id_; }

  [[nodiscard]] std::string list(bool by_id) {
    const bool mixed = found_.size() > std::max({found_.private_keys(), found_.secret_keys.size(),
                                                 found_.certificates.size(), found_.unreadable.size()});
    std::string text;
    const auto add = [&](const auto& object, bool has_own_id, const char* kind) {
      all_by_id_ = all_by_id_ && has_own_id;
      text += (text.empty() ? "" : ", ") +
              (by_id && has_own_id ? id_alias(id_of(object))
                                   : "\"" + pkcs11::printable(shown_name(object)) + "\"") +
              (mixed ? kind : "");
    };
    for (const Entry* key : found_.keys) add(*key, is_own_key_id(key->key.reference().id()), " (the key)");
    for (const UnreadableObject* key : found_.unusable)
      add(*key, is_own_key_id(key->id), " (a key that cannot be used)");
    for (const SecretKey* key : found_.secret_keys)
      add(*key, is_own_key_id(id_of(*key)), " (the secret key)");
    if (!found_.certificates.empty()) {
      for (const TrustedCertificate* certificate : found_.certificates)
        add(*certificate, is_own_certificate_id(certificate->id), " (the certificate)");
    } else if (found_.all_keys() == 0) {
      for (const UnreadableObject* certificate : found_.unreadable)
        add(*certificate, is_own_certificate_id(certificate->id), "");
    }
    return text;
  }

 private:
  void add_key(const auto& key) { ++key_ids_[id_of(key)]; }
  [[nodiscard]] bool is_own_key_id(const pkcs11::Bytes& id) { return !id.empty() && key_ids_[id] == 1; }
  [[nodiscard]] bool is_own_certificate_id(const pkcs11::Bytes& id) {
    return !id.empty() && !key_ids_.contains(id) && certificate_ids_[id] == 1;
  }

  const Found& found_;
  std::map<pkcs11::Bytes, unsigned> key_ids_;
  std::map<pkcs11::Bytes, unsigned> certificate_ids_;
  bool all_by_id_ = true;
};

std::string kind_of(const Found& found) {
  if (found.all_keys() == 0) return found.certificates.empty() ? "certificates" : "trusted certificates";
  if (!found.certificates.empty() || (found.private_keys() > 0 && !found.secret_keys.empty()))
    return "things";
  return found.secret_keys.empty() ? "private keys" : "secret keys";
}

[[noreturn]] void fail(std::string_view alias, const Found& found, bool exactly) {
  std::string message = quoted_alias(alias) + " matches several " + kind_of(found);
  Distinction distinction(found);
  const std::string list = distinction.list(exactly);
  if (!exactly) {
    message += " that differ only in letter case; write the one exactly: " + list;
  } else if (distinction.all_by_id()) {
    message += "; name one by its id: " + list;
  } else {
    message += " that no CKA_ID tells apart: " + list + "; name one by its alias, if that tells it, or " +
               "give each a CKA_ID of its own with pkcs11-tool --set-id";
  }
  throw Error(ErrorClass::client, std::move(message));
}

// Throws Error (client) with the id if the name is a numbered one of name_apart ("httpd#2"): with the next
// key of that label it may mean another one.
void require_lasting_name(std::string_view alias, const Named& named) {
  const auto require = [&](const auto& object) {
    if (!object.shared_name || !are_alike(object.alias, alias)) return;
    throw Error(ErrorClass::client,
                quoted_alias(alias) + " is one of several that share a label, and may be another one " +
                    "tomorrow; " +
                    (id_of(object).empty() ? "give it a CKA_ID with pkcs11-tool --set-id"
                                           : "name it by its id: " + id_alias(id_of(object))));
  };
  if (const auto* entry = std::get_if<Entry>(&named)) require(*entry);
  if (const auto* certificate = std::get_if<TrustedCertificate>(&named)) require(*certificate);
  if (const auto* key = std::get_if<SecretKey>(&named)) require(*key);
}

template <typename Object>
std::set<std::string> names_of(const std::vector<Object>& objects) {
  std::set<std::string> names;
  for (const Object& object : objects) names.insert({object.alias, object.name()});
  return names;
}

// Objects in the order of their names, of which each is its own where it is one object's and none of `taken`.
template <typename Object>
void number_apart(std::vector<Object>& sorted, const std::set<std::string>& taken) {
  std::set<std::string> names = taken;
  collect_names(sorted, names);
  const Numbering numbering(std::move(names));
  for (auto first = sorted.begin(); first != sorted.end();) {
    const auto last = end_of_namesakes<Object>(first, sorted);
    const std::string name = first->alias;
    const bool is_taken = taken.contains(name);
    if (last - first == 1 && !is_taken) ++first;
    unsigned number = is_taken ? 1 : 0;
    for (; first != last; ++first) {
      first->shared_name = name;
      first->alias = numbering.next(name, number);
    }
  }
  std::ranges::sort(sorted, {}, &Object::alias);
}

}  // namespace

void name_apart(std::vector<Entry>& entries) {
  const auto has_no_label = [](const Entry& entry) { return entry.key.reference().label().empty(); };
  std::sort(entries.begin(), entries.end(), [&](const Entry& a, const Entry& b) {
    const bool left = has_no_label(a);
    const bool right = has_no_label(b);
    return std::tie(a.alias, left, id_of(a)) < std::tie(b.alias, right, id_of(b));
  });
  if (all_differ(entries)) return;
  std::set<std::string> names;
  collect_names(entries, names);
  const Numbering numbering(std::move(names));
  for (auto first = entries.begin(); first != entries.end();) {
    const auto last = end_of_namesakes<Entry>(first, entries);
    const std::string name = first->alias;
    unsigned number = 0;
    if (last - first == 1 || (!has_no_label(*first) && has_no_label(*(first + 1)))) {
      ++first;  // the only one whose own label it is
      ++number;
    }
    for (; first != last; ++first) {
      first->shared_name = name;
      first->alias = numbering.next(name, number);
    }
  }
  std::ranges::sort(entries, {}, &Entry::alias);
}

void name_apart(std::vector<TrustedCertificate>& certificates, const std::vector<Entry>& entries,
                const std::vector<SecretKey>& secret_keys) {
  std::sort(certificates.begin(), certificates.end(), [](const auto& a, const auto& b) {
    return std::tie(a.alias, a.id, a.certificate.der) < std::tie(b.alias, b.id, b.certificate.der);
  });
  std::set<std::string> keys = names_of(entries);
  keys.merge(names_of(secret_keys));
  number_apart(certificates, keys);
}

void name_apart(std::vector<SecretKey>& secret_keys, const std::vector<Entry>& entries) {
  std::sort(secret_keys.begin(), secret_keys.end(), [](const SecretKey& a, const SecretKey& b) {
    return std::tie(a.alias, id_of(a)) < std::tie(b.alias, id_of(b));
  });
  number_apart(secret_keys, names_of(entries));
}

std::optional<Named> look_up(std::string_view alias, const Nameable& among, Purpose purpose) {
  // What an unset variable behind "id:" leaves means no key, least of all one without a CKA_ID.
  if (alias.empty() || pkcs11::equal_ignoring_case(alias, kIdPrefix)) return std::nullopt;
  Found found = find(among, [&](std::string_view name) { return name == alias; });
  const bool exactly = found.size() > 0;
  if (!exactly) {
    const std::string folded = pkcs11::case_folded(alias);
    found = find(among, [&](std::string_view name) { return pkcs11::case_folded(name) == folded; });
  }
  if (found.size() == 0) return std::nullopt;
  const bool is_keys = is_by_id(alias) || (exactly && purpose == Purpose::use);
  if (is_keys) found.keep_keys(purpose);
  if (found.size() > 1) fail(alias, found, exactly);
  Named named = found.only();
  if (purpose == Purpose::change) require_lasting_name(alias, named);
  return named;
}

bool is_by_id(std::string_view alias) {
  return pkcs11::equal_ignoring_case(alias.substr(0, kIdPrefix.size()), kIdPrefix);
}

std::string alias_of(const UnreadableObject& object) { return shown_name(object); }

std::string alias_of(const Named& named) {
  return std::visit([](const auto& object) { return std::string(shown_name(object)); }, named);
}

}  // namespace keystay::keys
