#include "native/keys/alias_lookup.h"

#include <algorithm>
#include <set>
#include <tuple>

#include "native/pkcs11/error.h"
#include "native/pkcs11/text.h"

namespace keystay::keys {
namespace {

using pkcs11::Error;
using pkcs11::ErrorClass;

const pkcs11::Bytes& id_of(const Entry& entry) { return entry.key.reference().id(); }
const pkcs11::Bytes& id_of(const TrustedCertificate& certificate) { return certificate.id; }

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

// What some name means: pointers into what was searched.
struct Found {
  std::vector<const Entry*> keys;
  std::vector<const TrustedCertificate*> certificates;

  [[nodiscard]] std::size_t size() const { return keys.size() + certificates.size(); }
};

template <typename Same>
Found find(const std::vector<Entry>& entries, const std::vector<TrustedCertificate>& certificates,
           const Same& same) {
  const auto is_it = [&](const auto& object) {
    return same(object.alias) || same(object.name()) || same(id_alias(id_of(object)));
  };
  Found found;
  for (const Entry& entry : entries) {
    if (is_it(entry)) found.keys.push_back(&entry);
  }
  for (const TrustedCertificate& certificate : certificates) {
    if (is_it(certificate)) found.certificates.push_back(&certificate);
  }
  return found;
}

std::string listed(const Found& found, bool by_id) {
  std::string list;
  const auto add = [&](const auto& object, const char* kind) {
    list +=
        (list.empty() ? "" : ", ") + (by_id ? id_alias(id_of(object)) : "\"" + object.alias + "\"") + kind;
  };
  const bool mixed = !found.keys.empty() && !found.certificates.empty();
  for (const Entry* key : found.keys) add(*key, mixed ? " (the key)" : "");
  for (const TrustedCertificate* certificate : found.certificates) {
    add(*certificate, mixed ? " (the certificate)" : "");
  }
  return list;
}

bool are_told_by_id(const Found& found) {
  std::set<pkcs11::Bytes> ids;
  for (const Entry* key : found.keys) ids.insert(id_of(*key));
  for (const TrustedCertificate* certificate : found.certificates) ids.insert(id_of(*certificate));
  return ids.size() == found.size() && std::ranges::none_of(ids, &pkcs11::Bytes::empty);
}

[[noreturn]] void fail(std::string_view alias, const Found& found, bool exactly) {
  const std::string kind = found.certificates.empty() ? "private keys"
                           : found.keys.empty()       ? "trusted certificates"
                                                      : "things";
  std::string message = "alias \"" + std::string(alias) + "\" matches several " + kind;
  if (exactly && !are_told_by_id(found)) {
    message += " that no CKA_ID tells apart: " + listed(found, false) +
               "; name one by its alias, if that tells it, or " +
               "give each a CKA_ID of its own with pkcs11-tool --set-id";
  } else if (exactly) {
    message += "; name one by its id: " + listed(found, true);
  } else {
    message += " that differ only in letter case; write the one exactly: " + listed(found, false);
  }
  throw Error(ErrorClass::client, std::move(message));
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

void name_apart(std::vector<TrustedCertificate>& certificates, const std::vector<Entry>& entries) {
  std::sort(certificates.begin(), certificates.end(), [](const auto& a, const auto& b) {
    return std::tie(a.alias, a.id, a.certificate.der) < std::tie(b.alias, b.id, b.certificate.der);
  });
  std::set<std::string> keys;
  collect_names(entries, keys);
  for (const Entry& entry : entries) keys.insert(entry.name());
  std::set<std::string> names = keys;
  collect_names(certificates, names);
  const Numbering numbering(std::move(names));
  for (auto first = certificates.begin(); first != certificates.end();) {
    const auto last = end_of_namesakes<TrustedCertificate>(first, certificates);
    const std::string name = first->alias;
    const bool is_a_keys = keys.contains(name);
    if (last - first == 1 && !is_a_keys) ++first;
    unsigned number = is_a_keys ? 1 : 0;
    for (; first != last; ++first) {
      first->shared_name = name;
      first->alias = numbering.next(name, number);
    }
  }
  std::ranges::sort(certificates, {}, &TrustedCertificate::alias);
}

std::optional<Named> look_up(std::string_view alias, const std::vector<Entry>& entries,
                             const std::vector<TrustedCertificate>& certificates) {
  // What an unset variable behind "id:" leaves means no key, least of all one without a CKA_ID.
  if (alias.empty() || pkcs11::equal_ignoring_case(alias, kIdPrefix)) return std::nullopt;
  Found found = find(entries, certificates, [&](std::string_view name) { return name == alias; });
  const bool exactly = found.size() > 0;
  if (!exactly) {
    found = find(entries, certificates,
                 [&](std::string_view name) { return pkcs11::equal_ignoring_case(name, alias); });
  }
  if (found.size() == 0) return std::nullopt;
  if (found.size() > 1) fail(alias, found, exactly);
  if (!found.keys.empty()) return *found.keys.front();
  return *found.certificates.front();
}

void require_lasting_name(std::string_view alias, const Named& named) {
  std::visit(
      [&](const auto& object) {
        if (!object.shared_name || !pkcs11::equal_ignoring_case(object.alias, alias)) return;
        throw Error(ErrorClass::client,
                    "alias \"" + std::string(alias) +
                        "\" is one of several that share a label, "
                        "and may be another one tomorrow; " +
                        (id_of(object).empty() ? "give it a CKA_ID with pkcs11-tool --set-id"
                                               : "name it by its id: " + id_alias(id_of(object))));
      },
      named);
}

}  // namespace keystay::keys
