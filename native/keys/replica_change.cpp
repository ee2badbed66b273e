#include "native/keys/replica_change.h"

#include <algorithm>
#include <utility>

#include "native/keys/token_objects.h"
#include "native/keys/wrapping.h"

namespace keystay::keys {

using pkcs11::Error;
using pkcs11::ErrorClass;
using pkcs11::Session;
using pkcs11::Template;

CK_OBJECT_HANDLE find_wrapping_key(Session& session, std::string_view label) {
  Template search = objects_of(CKO_SECRET_KEY);
  search.text(CKA_LABEL, label);
  const auto keys = session.find_token_objects(std::move(search));
  if (keys.size() == 1) return keys.front();
  throw Error(ErrorClass::client, "the token has " + std::string(keys.empty() ? "no" : "more than one") +
                                      " wrapping key \"" + std::string(label) + "\"");
}

std::vector<CK_MECHANISM_TYPE> mechanisms_of(const WrappingKey& key) {
  if (key.mechanism) return {*key.mechanism};
  const auto usual = usual_wrapping_mechanisms();
  return {usual.begin(), usual.end()};
}

std::vector<CK_MECHANISM_TYPE> unwrapping_mechanisms(CK_MECHANISM_TYPE wrapped_by) {
  const auto usual = usual_wrapping_mechanisms();
  if (std::ranges::find(usual, wrapped_by) == usual.end()) return {wrapped_by};
  return {usual.begin(), usual.end()};
}

bool wants_another_mechanism(const Error& error) {
  return error.code() == CKR_MECHANISM_INVALID || error.code() == CKR_WRAPPED_KEY_INVALID ||
         error.code() == CKR_WRAPPED_KEY_LEN_RANGE;
}

}  // namespace keystay::keys
