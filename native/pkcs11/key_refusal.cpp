#include "native/pkcs11/key_refusal.h"

#include <algorithm>
#include <string>

#include "native/pkcs11/allowed_mechanisms.h"
#include "native/pkcs11/mechanism_names.h"

namespace keystay::pkcs11 {
namespace {

bool may_come_from_the_key(const Error& error) {
  switch (error.code().value_or(CKR_OK)) {
    case CKR_MECHANISM_INVALID:
    case CKR_KEY_FUNCTION_NOT_PERMITTED:
    case CKR_ACTION_PROHIBITED:
    case CKR_KEY_TYPE_INCONSISTENT:
      return true;
    default:
      return false;
  }
}

std::string_view name_of(CK_ATTRIBUTE_TYPE attribute) noexcept {
  switch (attribute) {
    case CKA_SIGN:
      return "CKA_SIGN";
    case CKA_DECRYPT:
      return "CKA_DECRYPT";
    case CKA_ENCRYPT:
      return "CKA_ENCRYPT";
    case CKA_WRAP:
      return "CKA_WRAP";
    case CKA_UNWRAP:
      return "CKA_UNWRAP";
    default:
      return "CKA_DERIVE";
  }
}

std::string names_of(const std::vector<CK_MECHANISM_TYPE>& mechanisms) {
  std::string names;
  for (const CK_MECHANISM_TYPE mechanism : mechanisms) {
    names.append(names.empty() ? "" : ", ").append(mechanism_name(mechanism));
  }
  return names;
}

// Empty if the attributes are not the reason.
std::string reason(const Attributes& key, const Operation& operation) {
  const CK_ATTRIBUTE_TYPE use = permission(operation).attribute;
  if (key.flag(use) == false) {
    return "the key's attributes forbid this use: it was made without " + std::string(name_of(use)) +
           "; make a new key that has it";
  }
  const std::vector<CK_MECHANISM_TYPE> allowed = allowed_mechanisms(key);
  if (allowed.empty() || std::ranges::find(allowed, type(operation)) != allowed.end()) return {};
  return "CKA_ALLOWED_MECHANISMS of the key lacks " + mechanism_name(type(operation)) + " and has only " +
         names_of(allowed) + "; use another scheme, or make a key that may be used so";
}

}  // namespace

Error explained(const Error& error, Session& session, CK_OBJECT_HANDLE key, const Operation& operation) {
  if (!may_come_from_the_key(error)) return error;
  const CK_ATTRIBUTE_TYPE types[] = {permission(operation).attribute, CKA_ALLOWED_MECHANISMS};
  try {
    const std::string why = reason(session.attributes(key, types), operation);
    const std::string text = error.what();
    if (!why.empty()) return {*error.code(), text.substr(0, text.find("; ")) + "; " + why};
  } catch (const Error&) {  // NOLINT(bugprone-empty-catch): the first error is what the caller must hear
  }
  return error;
}

bool always_authenticates(Session& session, CK_OBJECT_HANDLE key) {
  constexpr CK_ATTRIBUTE_TYPE kTypes[] = {CKA_ALWAYS_AUTHENTICATE};
  try {
    return session.attributes(key, kTypes).flag(CKA_ALWAYS_AUTHENTICATE).value_or(false);
  } catch (const Error&) {  // the refusal that led here is what the caller must hear
    return false;
  }
}

}  // namespace keystay::pkcs11
