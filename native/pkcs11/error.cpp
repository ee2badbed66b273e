#include "native/pkcs11/error.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <string_view>
#include <utility>

namespace keystay::pkcs11 {
namespace {

struct ReturnValue {
  CK_RV code;
  std::string_view name;
  ErrorClass error_class;
  std::string_view remedy;  // what the operator or caller can do; empty where the name says it
};

using enum ErrorClass;
using namespace std::string_view_literals;

constexpr std::string_view kRepair = "the session is gone and could not be repaired; is the HSM up?";
constexpr std::string_view kSick = "check the HSM, its client software and the network";
constexpr std::string_view kUnwritable =
    "may this user write to the token, and has it room? For SoftHSM that is its token directory; for an HSM "
    "check that, its client software and the network";
constexpr std::string_view kLocked = "the PIN is locked: the security officer must reset it";
constexpr std::string_view kPermission = "the key's attributes forbid this use";
constexpr std::string_view kMechanism = "the token does not offer this mechanism";

// PKCS #11 v3.0, section 5.1. Sorted by code.
constexpr std::array kReturnValues = std::to_array<ReturnValue>({
    {CKR_CANCEL, "CKR_CANCEL", client, {}},
    {CKR_HOST_MEMORY, "CKR_HOST_MEMORY", host, "this machine is out of memory"},
    {CKR_SLOT_ID_INVALID, "CKR_SLOT_ID_INVALID", session_lost, kRepair},
    {CKR_GENERAL_ERROR, "CKR_GENERAL_ERROR", server, kSick},
    {CKR_FUNCTION_FAILED, "CKR_FUNCTION_FAILED", server, kSick},
    {CKR_ARGUMENTS_BAD, "CKR_ARGUMENTS_BAD", client, {}},
    {CKR_NO_EVENT, "CKR_NO_EVENT", client, {}},
    {CKR_NEED_TO_CREATE_THREADS, "CKR_NEED_TO_CREATE_THREADS", host, {}},
    {CKR_CANT_LOCK, "CKR_CANT_LOCK", host, "the module cannot use the system's locks"},
    {CKR_ATTRIBUTE_READ_ONLY, "CKR_ATTRIBUTE_READ_ONLY", client, {}},
    {CKR_ATTRIBUTE_SENSITIVE, "CKR_ATTRIBUTE_SENSITIVE", client, "the value never leaves the token"},
    {CKR_ATTRIBUTE_TYPE_INVALID, "CKR_ATTRIBUTE_TYPE_INVALID", client, {}},
    {CKR_ATTRIBUTE_VALUE_INVALID, "CKR_ATTRIBUTE_VALUE_INVALID", client, {}},
    {CKR_ACTION_PROHIBITED, "CKR_ACTION_PROHIBITED", client, "the object's attributes forbid this"},
    {CKR_DATA_INVALID, "CKR_DATA_INVALID", client, {}},
    {CKR_DATA_LEN_RANGE, "CKR_DATA_LEN_RANGE", client, {}},
    {CKR_DEVICE_ERROR, "CKR_DEVICE_ERROR", server, kSick},
    {CKR_DEVICE_MEMORY, "CKR_DEVICE_MEMORY", busy, "the token is full: delete what nobody needs"},
    {CKR_DEVICE_REMOVED, "CKR_DEVICE_REMOVED", server, kSick},
    {CKR_ENCRYPTED_DATA_INVALID, "CKR_ENCRYPTED_DATA_INVALID", client, {}},
    {CKR_ENCRYPTED_DATA_LEN_RANGE, "CKR_ENCRYPTED_DATA_LEN_RANGE", client, {}},
    {CKR_FUNCTION_CANCELED, "CKR_FUNCTION_CANCELED", client, {}},
    {CKR_FUNCTION_NOT_PARALLEL, "CKR_FUNCTION_NOT_PARALLEL", client, {}},
    {CKR_FUNCTION_NOT_SUPPORTED, "CKR_FUNCTION_NOT_SUPPORTED", client, "the module does not offer this"},
    {CKR_KEY_HANDLE_INVALID, "CKR_KEY_HANDLE_INVALID", session_lost, kRepair},
    {CKR_KEY_SIZE_RANGE, "CKR_KEY_SIZE_RANGE", client, "the token does not offer this key size"},
    {CKR_KEY_TYPE_INCONSISTENT, "CKR_KEY_TYPE_INCONSISTENT", client, {}},
    {CKR_KEY_NOT_NEEDED, "CKR_KEY_NOT_NEEDED", client, {}},
    {CKR_KEY_CHANGED, "CKR_KEY_CHANGED", client, {}},
    {CKR_KEY_NEEDED, "CKR_KEY_NEEDED", client, {}},
    {CKR_KEY_INDIGESTIBLE, "CKR_KEY_INDIGESTIBLE", client, {}},
    {CKR_KEY_FUNCTION_NOT_PERMITTED, "CKR_KEY_FUNCTION_NOT_PERMITTED", client, kPermission},
    {CKR_KEY_NOT_WRAPPABLE, "CKR_KEY_NOT_WRAPPABLE", client,
     "this token wraps no keys of this kind, or not this one"},
    {CKR_KEY_UNEXTRACTABLE, "CKR_KEY_UNEXTRACTABLE", client, "the key never leaves the token"},
    {CKR_MECHANISM_INVALID, "CKR_MECHANISM_INVALID", client, kMechanism},
    {CKR_MECHANISM_PARAM_INVALID, "CKR_MECHANISM_PARAM_INVALID", client, kMechanism},
    {CKR_OBJECT_HANDLE_INVALID, "CKR_OBJECT_HANDLE_INVALID", session_lost, kRepair},
    {CKR_OPERATION_ACTIVE, "CKR_OPERATION_ACTIVE", dirty_session, {}},
    {CKR_OPERATION_NOT_INITIALIZED, "CKR_OPERATION_NOT_INITIALIZED", session_lost, kRepair},
    {CKR_PIN_INCORRECT, "CKR_PIN_INCORRECT", authentication,
     "correct the PIN; it is not tried again as it is, so that the token does not lock"},
    {CKR_PIN_INVALID, "CKR_PIN_INVALID", authentication, "the token forbids characters of this PIN"},
    {CKR_PIN_LEN_RANGE, "CKR_PIN_LEN_RANGE", authentication, "the token takes no PIN of this length"},
    {CKR_PIN_EXPIRED, "CKR_PIN_EXPIRED", authentication, "set a new PIN on the token"},
    {CKR_PIN_LOCKED, "CKR_PIN_LOCKED", authentication, kLocked},
    {CKR_SESSION_CLOSED, "CKR_SESSION_CLOSED", session_lost, kRepair},
    {CKR_SESSION_COUNT, "CKR_SESSION_COUNT", busy, "the token has no session left: lower `sessions`"},
    {CKR_SESSION_HANDLE_INVALID, "CKR_SESSION_HANDLE_INVALID", session_lost, kRepair},
    {CKR_SESSION_PARALLEL_NOT_SUPPORTED, "CKR_SESSION_PARALLEL_NOT_SUPPORTED", client, {}},
    {CKR_SESSION_READ_ONLY, "CKR_SESSION_READ_ONLY", client, {}},
    {CKR_SESSION_EXISTS, "CKR_SESSION_EXISTS", client, {}},
    {CKR_SESSION_READ_ONLY_EXISTS, "CKR_SESSION_READ_ONLY_EXISTS", client, {}},
    {CKR_SESSION_READ_WRITE_SO_EXISTS, "CKR_SESSION_READ_WRITE_SO_EXISTS", client, {}},
    {CKR_SIGNATURE_INVALID, "CKR_SIGNATURE_INVALID", client, {}},
    {CKR_SIGNATURE_LEN_RANGE, "CKR_SIGNATURE_LEN_RANGE", client, {}},
    {CKR_TEMPLATE_INCOMPLETE, "CKR_TEMPLATE_INCOMPLETE", client, {}},
    {CKR_TEMPLATE_INCONSISTENT, "CKR_TEMPLATE_INCONSISTENT", client, {}},
    {CKR_TOKEN_NOT_PRESENT, "CKR_TOKEN_NOT_PRESENT", server, "the token is gone: is it plugged in and up?"},
    {CKR_TOKEN_NOT_RECOGNIZED, "CKR_TOKEN_NOT_RECOGNIZED", server, kSick},
    {CKR_TOKEN_WRITE_PROTECTED, "CKR_TOKEN_WRITE_PROTECTED", client, "the token takes no changes"},
    {CKR_UNWRAPPING_KEY_HANDLE_INVALID, "CKR_UNWRAPPING_KEY_HANDLE_INVALID", client, {}},
    {CKR_UNWRAPPING_KEY_SIZE_RANGE, "CKR_UNWRAPPING_KEY_SIZE_RANGE", client, {}},
    {CKR_UNWRAPPING_KEY_TYPE_INCONSISTENT, "CKR_UNWRAPPING_KEY_TYPE_INCONSISTENT", client, {}},
    {CKR_USER_ALREADY_LOGGED_IN, "CKR_USER_ALREADY_LOGGED_IN", client, {}},
    {CKR_USER_NOT_LOGGED_IN, "CKR_USER_NOT_LOGGED_IN", session_lost,
     "the token wants a login: configure its `pin`"},
    {CKR_USER_PIN_NOT_INITIALIZED, "CKR_USER_PIN_NOT_INITIALIZED", authentication,
     "the security officer must set the user's PIN first"},
    {CKR_USER_TYPE_INVALID, "CKR_USER_TYPE_INVALID", authentication, {}},
    {CKR_USER_ANOTHER_ALREADY_LOGGED_IN, "CKR_USER_ANOTHER_ALREADY_LOGGED_IN", authentication,
     "the security officer is logged in in this process"},
    {CKR_USER_TOO_MANY_TYPES, "CKR_USER_TOO_MANY_TYPES", authentication, {}},
    {CKR_WRAPPED_KEY_INVALID, "CKR_WRAPPED_KEY_INVALID", client,
     "this token does not have the wrapping key under which it was wrapped, or takes another form"},
    {CKR_WRAPPED_KEY_LEN_RANGE, "CKR_WRAPPED_KEY_LEN_RANGE", client, {}},
    {CKR_WRAPPING_KEY_HANDLE_INVALID, "CKR_WRAPPING_KEY_HANDLE_INVALID", client, {}},
    {CKR_WRAPPING_KEY_SIZE_RANGE, "CKR_WRAPPING_KEY_SIZE_RANGE", client, {}},
    {CKR_WRAPPING_KEY_TYPE_INCONSISTENT, "CKR_WRAPPING_KEY_TYPE_INCONSISTENT", client, {}},
    {CKR_RANDOM_SEED_NOT_SUPPORTED, "CKR_RANDOM_SEED_NOT_SUPPORTED", client, {}},
    {CKR_RANDOM_NO_RNG, "CKR_RANDOM_NO_RNG", client, {}},
    {CKR_DOMAIN_PARAMS_INVALID, "CKR_DOMAIN_PARAMS_INVALID", client, "the token does not offer this curve"},
    {CKR_CURVE_NOT_SUPPORTED, "CKR_CURVE_NOT_SUPPORTED", client, "the token does not offer this curve"},
    {CKR_BUFFER_TOO_SMALL, "CKR_BUFFER_TOO_SMALL", client, {}},
    {CKR_SAVED_STATE_INVALID, "CKR_SAVED_STATE_INVALID", client, {}},
    {CKR_INFORMATION_SENSITIVE, "CKR_INFORMATION_SENSITIVE", client, {}},
    {CKR_STATE_UNSAVEABLE, "CKR_STATE_UNSAVEABLE", client, {}},
    {CKR_CRYPTOKI_NOT_INITIALIZED, "CKR_CRYPTOKI_NOT_INITIALIZED", session_lost, kRepair},
    {CKR_CRYPTOKI_ALREADY_INITIALIZED, "CKR_CRYPTOKI_ALREADY_INITIALIZED", client, {}},
    {CKR_MUTEX_BAD, "CKR_MUTEX_BAD", host, {}},
    {CKR_MUTEX_NOT_LOCKED, "CKR_MUTEX_NOT_LOCKED", host, {}},
    {kFipsSelfTestFailed, "CKR_FIPS_SELF_TEST_FAILED", server, kSick},
    {kLibraryLoadFailed, "CKR_LIBRARY_LOAD_FAILED", server, kSick},
    {kPinTooWeak, "CKR_PIN_TOO_WEAK", authentication, "set a stronger PIN on the token"},
    {CKR_FUNCTION_REJECTED, "CKR_FUNCTION_REJECTED", server, "a person refused the operation on the token"},
    {kTokenResourceExceeded, "CKR_TOKEN_RESOURCE_EXCEEDED", server, kSick},
    {kOperationCancelFailed, "CKR_OPERATION_CANCEL_FAILED", dirty_session, {}},
});

static_assert(std::is_sorted(kReturnValues.begin(), kReturnValues.end(),
                             [](const ReturnValue& a, const ReturnValue& b) { return a.code < b.code; }));

const ReturnValue* find(CK_RV rv) noexcept {
  const auto at = std::lower_bound(kReturnValues.begin(), kReturnValues.end(), rv,
                                   [](const ReturnValue& value, CK_RV code) { return value.code < code; });
  return at != kReturnValues.end() && at->code == rv ? &*at : nullptr;
}

// A token in files fails so where its directory is read-only, another user's or full, and says no more.
bool may_be_unwritable(CK_RV rv, std::string_view function) noexcept {
  constexpr std::array kWriting = {"C_GenerateKeyPair"sv, "C_GenerateKey"sv,   "C_CreateObject"sv,
                                   "C_CopyObject"sv,      "C_DestroyObject"sv, "C_SetAttributeValue"sv};
  return (rv == CKR_GENERAL_ERROR || rv == CKR_FUNCTION_FAILED || rv == CKR_DEVICE_ERROR) &&
         std::find(kWriting.begin(), kWriting.end(), function) != kWriting.end();
}

std::string message(CK_RV rv, const char* function) {
  std::string text = std::string(function) + ": " + describe(rv);
  if (may_be_unwritable(rv, function)) {
    text.append("; ").append(kUnwritable);
  } else if (const ReturnValue* value = find(rv); value && !value->remedy.empty()) {
    text.append("; ").append(value->remedy);
  } else if (classify(rv) == server) {
    text.append("; ").append(kSick);
  }
  return text;
}

}  // namespace

ErrorClass classify(CK_RV rv) noexcept {
  const ReturnValue* value = find(rv);
  return value ? value->error_class : server;  // vendor codes speak of the device
}

std::string describe(CK_RV rv) {
  const ReturnValue* value = find(rv);
  const std::string_view unknown = rv & CKR_VENDOR_DEFINED ? "CKR_VENDOR_DEFINED" : "unknown return value";
  std::array<char, 24> code{};
  std::snprintf(code.data(), code.size(), " (0x%lx)", rv);
  return std::string(value ? value->name : unknown) + code.data();
}

Error::Error(CK_RV rv, const char* function) : Error(classify(rv), rv, message(rv, function)) {}

Error::Error(ErrorClass error_class, std::string message)
    : Error(error_class, std::nullopt, std::move(message)) {}

Error::Error(CK_RV rv, std::string message) : Error(classify(rv), rv, std::move(message)) {}

Error::Error(ErrorClass error_class, std::optional<CK_RV> code, std::string message)
    : std::runtime_error(std::move(message)), class_(error_class), code_(code) {}

Error Error::on(std::string_view subject) const {
  // Before the remedy: `C_SignInit: CKR_X (0x60) for alias "a" on token "t"; what to do`.
  std::string text = what();
  const std::string where = code_ ? " for " + std::string(subject) : " (" + std::string(subject) + ")";
  text.insert(std::min(text.find("; "), text.size()), where);
  return {class_, code_, std::move(text)};
}

}  // namespace keystay::pkcs11
