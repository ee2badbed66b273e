#include "native/pkcs11/key_object.h"

#include <algorithm>
#include <chrono>
#include <span>
#include <thread>
#include <utility>

#include "native/pkcs11/allowed_mechanisms.h"
#include "native/pkcs11/deactivated_label.h"
#include "native/pkcs11/error.h"
#include "native/pkcs11/stated_key.h"

namespace keystay::pkcs11 {
namespace {

using namespace std::chrono_literals;

constexpr CK_ATTRIBUTE_TYPE kKeyAttributes[] = {CKA_TOKEN,     CKA_KEY_TYPE, CKA_ID,
                                                CKA_LABEL,     CKA_MODULUS,  CKA_PUBLIC_EXPONENT,
                                                CKA_EC_PARAMS, CKA_EC_POINT, CKA_ALLOWED_MECHANISMS};
// Some tokens answer nothing where the last of these is among them.
constexpr std::span kPlainKeyAttributes = std::span(kKeyAttributes).first<8>();

// How long a copy that another thread is making may look like a token object on a machine that is busy, and
// how often we look.
constexpr auto kCopyingTakes = 2s;
constexpr auto kBetweenLooks = 2ms;

bool may_reject_an_attribute(const Error& error) {
  return error.error_class() == ErrorClass::client || error.code() == CKR_GENERAL_ERROR ||
         error.code() == CKR_FUNCTION_FAILED;
}

Attributes read_key_attributes(Session& session, CK_OBJECT_HANDLE handle) {
  try {
    return session.attributes(handle, kKeyAttributes);
  } catch (const Error& error) {
    if (!may_reject_an_attribute(error)) throw;
  }
  return session.attributes(handle, kPlainKeyAttributes);
}

Attributes read_class(Session& session, CK_OBJECT_HANDLE handle) {
  constexpr CK_ATTRIBUTE_TYPE kClass[] = {CKA_CLASS};
  return session.attributes(handle, kClass);
}

Attributes read_identity_attributes(Session& session, CK_OBJECT_HANDLE handle) {
  constexpr CK_ATTRIBUTE_TYPE kIdentity[] = {CKA_CLASS,   CKA_KEY_TYPE, CKA_ID,       CKA_MODULUS, CKA_SIGN,
                                             CKA_DECRYPT, CKA_DERIVE,   CKA_EC_POINT, CKA_LABEL};
  const Attributes read = session.attributes(handle, kIdentity);
  Attributes identity;
  for (const CK_ATTRIBUTE_TYPE type : kIdentity) {
    // An alias may be renamed while its key is in use; deactivated, it is not to be used.
    if (type == CKA_LABEL && !is_deactivated_label(read.text(CKA_LABEL))) continue;
    if (const Bytes* value = read.find(type)) identity.put(type, *value);
  }
  return identity;
}

// SoftHSM 2.6 says so of an object that is being made or destroyed at this moment.
bool may_pass(const Error& error) {
  return error.code() == CKR_GENERAL_ERROR || error.code() == CKR_ATTRIBUTE_VALUE_INVALID;
}

// Nothing for an object that was destroyed since it was found: a copy goes with its session.
template <typename Read>
std::optional<Attributes> read_with_retries(const Read& read, Session& session, CK_OBJECT_HANDLE handle) {
  const auto until = std::chrono::steady_clock::now() + kCopyingTakes;
  for (;;) {
    try {
      return read(session, handle);
    } catch (const Error& error) {
      if (error.code() == CKR_OBJECT_HANDLE_INVALID) return std::nullopt;
      if (!may_pass(error) || std::chrono::steady_clock::now() >= until) throw;
    }
    std::this_thread::sleep_for(kBetweenLooks);
  }
}

bool alike(const auto& a, const auto& b) { return a == b || a.empty() || b.empty(); }

// Two objects of which one may be an unfinished copy of the other: it has the same attributes, or not yet.
// Its type tells nothing: CKA_KEY_TYPE is 0 (CKK_RSA) until it is copied.
bool may_be_copy(const KeyObject& a, const KeyObject& b) {
  return &a != &b && alike(a.id, b.id) && alike(a.label, b.label);
}

bool may_have_copy(const KeyObject& key, const std::vector<KeyObject>& keys) {
  return std::any_of(keys.begin(), keys.end(),
                     [&](const KeyObject& other) { return may_be_copy(key, other); });
}

}  // namespace

std::optional<PublicKey> public_key_of(Session& session, CK_OBJECT_HANDLE key) {
  return stated_key(session.attributes(key, kPlainKeyAttributes)).key;
}

std::optional<CK_OBJECT_CLASS> class_of(Session& session, CK_OBJECT_HANDLE handle) {
  const std::optional<Attributes> attributes = read_with_retries(read_class, session, handle);
  return attributes ? attributes->number(CKA_CLASS) : std::nullopt;
}

std::optional<Attributes> read_identity(Session& session, CK_OBJECT_HANDLE handle) {
  return read_with_retries(read_identity_attributes, session, handle);
}

std::optional<KeyObject> read_key(Session& session, CK_OBJECT_HANDLE handle) {
  const std::optional<Attributes> attributes = read_with_retries(read_key_attributes, session, handle);
  if (!attributes || !attributes->flag(CKA_TOKEN).value_or(true)) return std::nullopt;
  const std::optional<CK_ULONG> type = attributes->number(CKA_KEY_TYPE);
  if (!type) return std::nullopt;
  StatedKey stated = stated_key(*attributes);
  return KeyObject{handle,
                   attributes->bytes(CKA_ID),
                   attributes->text(CKA_LABEL),
                   *type,
                   std::move(stated.key),
                   allowed_mechanisms(*attributes),
                   std::move(stated.fault)};
}

// SoftHSM 2.6 copies an object with all its attributes, CKA_TOKEN among them, before it applies the template
// that makes the copy a session object: for a moment a search finds it as a second key. Two keys that stay
// alike when nothing is being copied are two keys.
void drop_unfinished_copies(Session& session, std::vector<KeyObject>& keys) {
  const auto until = std::chrono::steady_clock::now() + kCopyingTakes;
  const auto has_copy = [&](const KeyObject& key) { return may_have_copy(key, keys); };
  bool copying = true;
  while (copying && std::any_of(keys.begin(), keys.end(), has_copy) &&
         std::chrono::steady_clock::now() < until) {
    std::this_thread::sleep_for(kBetweenLooks);
    copying = session.copying();  // before the look: what was copied until now is seen by it
    std::erase_if(keys, [&](const KeyObject& key) { return !read_key(session, key.handle); });
  }
}

std::vector<KeyObject> read_keys(Session& session, Template search) {
  std::vector<KeyObject> keys;
  for (const CK_OBJECT_HANDLE handle : session.find_token_objects(std::move(search))) {
    if (std::optional<KeyObject> key = read_key(session, handle)) keys.push_back(std::move(*key));
  }
  drop_unfinished_copies(session, keys);
  return keys;
}

}  // namespace keystay::pkcs11
