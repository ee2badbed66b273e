// The functions of CK_FUNCTION_LIST (PKCS #11 v2.40), once: an enum, their names, and the module's table.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

// In the order of CK_FUNCTION_LIST.
// Kept from clang-format, which indents each line of the table further than the last.
// clang-format off
#define KEYSTAY_CRYPTOKI_FUNCTIONS(X) \
  X(C_Initialize) X(C_Finalize) X(C_GetInfo) X(C_GetFunctionList) X(C_GetSlotList) X(C_GetSlotInfo) \
  X(C_GetTokenInfo) X(C_GetMechanismList) X(C_GetMechanismInfo) X(C_InitToken) X(C_InitPIN) X(C_SetPIN) \
  X(C_OpenSession) X(C_CloseSession) X(C_CloseAllSessions) X(C_GetSessionInfo) X(C_GetOperationState) \
  X(C_SetOperationState) X(C_Login) X(C_Logout) X(C_CreateObject) X(C_CopyObject) X(C_DestroyObject) \
  X(C_GetObjectSize) X(C_GetAttributeValue) X(C_SetAttributeValue) X(C_FindObjectsInit) \
  X(C_FindObjects) X(C_FindObjectsFinal) X(C_EncryptInit) X(C_Encrypt) X(C_EncryptUpdate) \
  X(C_EncryptFinal) X(C_DecryptInit) X(C_Decrypt) X(C_DecryptUpdate) X(C_DecryptFinal) X(C_DigestInit) \
  X(C_Digest) X(C_DigestUpdate) X(C_DigestKey) X(C_DigestFinal) X(C_SignInit) X(C_Sign) X(C_SignUpdate) \
  X(C_SignFinal) X(C_SignRecoverInit) X(C_SignRecover) X(C_VerifyInit) X(C_Verify) X(C_VerifyUpdate) \
  X(C_VerifyFinal) X(C_VerifyRecoverInit) X(C_VerifyRecover) X(C_DigestEncryptUpdate) \
  X(C_DecryptDigestUpdate) X(C_SignEncryptUpdate) X(C_DecryptVerifyUpdate) X(C_GenerateKey) \
  X(C_GenerateKeyPair) X(C_WrapKey) X(C_UnwrapKey) X(C_DeriveKey) X(C_SeedRandom) X(C_GenerateRandom) \
  X(C_GetFunctionStatus) X(C_CancelFunction) X(C_WaitForSlotEvent)
// clang-format on

namespace keystay::test {

enum class Function : std::size_t {
#define KEYSTAY_NAME(name) name,
  KEYSTAY_CRYPTOKI_FUNCTIONS(KEYSTAY_NAME)
#undef KEYSTAY_NAME
};

inline constexpr std::array kFunctionNames{
#define KEYSTAY_TEXT(name) std::string_view(#name),
    KEYSTAY_CRYPTOKI_FUNCTIONS(KEYSTAY_TEXT)
#undef KEYSTAY_TEXT
};

inline constexpr std::size_t kFunctionCount = kFunctionNames.size();
static_assert(kFunctionCount == 68);

[[nodiscard]] constexpr std::size_t index(Function function) noexcept {
  return static_cast<std::size_t>(function);
}
[[nodiscard]] constexpr std::string_view name(Function function) noexcept {
  return kFunctionNames[index(function)];
}

// Whether it may change what is on the token.
[[nodiscard]] constexpr bool may_write(Function function) noexcept {
  switch (function) {
    case Function::C_CreateObject:
    case Function::C_CopyObject:
    case Function::C_DestroyObject:
    case Function::C_SetAttributeValue:
    case Function::C_GenerateKey:
    case Function::C_GenerateKeyPair:
    case Function::C_UnwrapKey:
      return true;
    default:
      return false;
  }
}

}  // namespace keystay::test
