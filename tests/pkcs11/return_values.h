// The return values of PKCS #11 v3.0, section 5.1, and what each means to a caller: written down here a
// second time, so that a change of the library's table is seen.
#pragma once

#include <array>
#include <string_view>

#include "native/pkcs11/error.h"

namespace keystay::pkcs11 {

struct ExpectedReturnValue {
  CK_RV code;  // by number: the OASIS header's, whatever the header that is compiled with says
  std::string_view name;
  ErrorClass error_class;
};

using enum ErrorClass;

inline constexpr std::array kExpectedReturnValues = std::to_array<ExpectedReturnValue>({
    {0x01, "CKR_CANCEL", client},
    {0x02, "CKR_HOST_MEMORY", host},
    {0x03, "CKR_SLOT_ID_INVALID", session_lost},
    {0x05, "CKR_GENERAL_ERROR", server},
    {0x06, "CKR_FUNCTION_FAILED", server},
    {0x07, "CKR_ARGUMENTS_BAD", client},
    {0x09, "CKR_NEED_TO_CREATE_THREADS", host},
    {0x0A, "CKR_CANT_LOCK", host},
    {0x10, "CKR_ATTRIBUTE_READ_ONLY", client},
    {0x11, "CKR_ATTRIBUTE_SENSITIVE", client},
    {0x12, "CKR_ATTRIBUTE_TYPE_INVALID", client},
    {0x13, "CKR_ATTRIBUTE_VALUE_INVALID", client},
    {0x1B, "CKR_ACTION_PROHIBITED", client},
    {0x20, "CKR_DATA_INVALID", client},
    {0x21, "CKR_DATA_LEN_RANGE", client},
    {0x30, "CKR_DEVICE_ERROR", server},
    {0x31, "CKR_DEVICE_MEMORY", busy},
    {0x32, "CKR_DEVICE_REMOVED", server},
    {0x40, "CKR_ENCRYPTED_DATA_INVALID", client},
    {0x41, "CKR_ENCRYPTED_DATA_LEN_RANGE", client},
    {0x50, "CKR_FUNCTION_CANCELED", client},
    {0x54, "CKR_FUNCTION_NOT_SUPPORTED", client},
    {0x60, "CKR_KEY_HANDLE_INVALID", session_lost},
    {0x62, "CKR_KEY_SIZE_RANGE", client},
    {0x63, "CKR_KEY_TYPE_INCONSISTENT", client},
    {0x68, "CKR_KEY_FUNCTION_NOT_PERMITTED", client},
    {0x69, "CKR_KEY_NOT_WRAPPABLE", client},
    {0x6A, "CKR_KEY_UNEXTRACTABLE", client},
    {0x70, "CKR_MECHANISM_INVALID", client},
    {0x71, "CKR_MECHANISM_PARAM_INVALID", client},
    {0x82, "CKR_OBJECT_HANDLE_INVALID", session_lost},
    {0x90, "CKR_OPERATION_ACTIVE", dirty_session},
    {0x91, "CKR_OPERATION_NOT_INITIALIZED", session_lost},
    {0xA0, "CKR_PIN_INCORRECT", authentication},
    {0xA1, "CKR_PIN_INVALID", authentication},
    {0xA2, "CKR_PIN_LEN_RANGE", authentication},
    {0xA3, "CKR_PIN_EXPIRED", authentication},
    {0xA4, "CKR_PIN_LOCKED", authentication},
    {0xB0, "CKR_SESSION_CLOSED", session_lost},
    {0xB1, "CKR_SESSION_COUNT", busy},
    {0xB3, "CKR_SESSION_HANDLE_INVALID", session_lost},
    {0xB5, "CKR_SESSION_READ_ONLY", client},
    {0xC0, "CKR_SIGNATURE_INVALID", client},
    {0xC1, "CKR_SIGNATURE_LEN_RANGE", client},
    {0xD0, "CKR_TEMPLATE_INCOMPLETE", client},
    {0xD1, "CKR_TEMPLATE_INCONSISTENT", client},
    {0xE0, "CKR_TOKEN_NOT_PRESENT", server},
    {0xE1, "CKR_TOKEN_NOT_RECOGNIZED", server},
    {0xE2, "CKR_TOKEN_WRITE_PROTECTED", client},
    {0xF0, "CKR_UNWRAPPING_KEY_HANDLE_INVALID", client},
    {0xF1, "CKR_UNWRAPPING_KEY_SIZE_RANGE", client},
    {0xF2, "CKR_UNWRAPPING_KEY_TYPE_INCONSISTENT", client},
    {0x101, "CKR_USER_NOT_LOGGED_IN", session_lost},
    {0x102, "CKR_USER_PIN_NOT_INITIALIZED", authentication},
    {0x103, "CKR_USER_TYPE_INVALID", authentication},
    {0x104, "CKR_USER_ANOTHER_ALREADY_LOGGED_IN", authentication},
    {0x110, "CKR_WRAPPED_KEY_INVALID", client},
    {0x112, "CKR_WRAPPED_KEY_LEN_RANGE", client},
    {0x113, "CKR_WRAPPING_KEY_HANDLE_INVALID", client},
    {0x114, "CKR_WRAPPING_KEY_SIZE_RANGE", client},
    {0x115, "CKR_WRAPPING_KEY_TYPE_INCONSISTENT", client},
    {0x130, "CKR_DOMAIN_PARAMS_INVALID", client},
    {0x140, "CKR_CURVE_NOT_SUPPORTED", client},
    {0x150, "CKR_BUFFER_TOO_SMALL", client},
    {0x190, "CKR_CRYPTOKI_NOT_INITIALIZED", session_lost},
    {0x1A0, "CKR_MUTEX_BAD", host},
    {0x1A1, "CKR_MUTEX_NOT_LOCKED", host},
    {0x1B6, "CKR_FIPS_SELF_TEST_FAILED", server},
    {0x1B7, "CKR_LIBRARY_LOAD_FAILED", server},
    {0x1B8, "CKR_PIN_TOO_WEAK", authentication},
    {0x200, "CKR_FUNCTION_REJECTED", server},
    {0x201, "CKR_TOKEN_RESOURCE_EXCEEDED", server},
    {0x80000000, "CKR_VENDOR_DEFINED", server},
    {0x8000001A, "CKR_VENDOR_DEFINED", server},
    {0xFFFFFFFF, "CKR_VENDOR_DEFINED", server},
});

}  // namespace keystay::pkcs11
