#include "native/pkcs11/error.h"

#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/pkcs11/return_values.h"

namespace keystay::pkcs11 {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

TEST(ReturnValue, HasItsClass) {
  for (const auto& [code, name, error_class] : kExpectedReturnValues)
    EXPECT_EQ(classify(code), error_class) << name;
}

TEST(ReturnValue, IsCalledByItsName) {
  for (const auto& [code, name, error_class] : kExpectedReturnValues) {
    EXPECT_THAT(describe(code), StartsWith(std::string(name) + " (0x")) << code;
  }
}

TEST(ReturnValue, ThatNobodyKnowsSpeaksOfTheDevice) {
  EXPECT_EQ(classify(0x12345), ErrorClass::server);
  EXPECT_EQ(describe(0x12345), "unknown return value (0x12345)");
}

TEST(Check, PassesOk) { EXPECT_NO_THROW(check(CKR_OK, "C_Sign")); }

TEST(Check, ThrowsWithCallCodeAndClass) {
  try {
    check(CKR_KEY_HANDLE_INVALID, "C_SignInit");
    FAIL() << "no exception";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), StartsWith("C_SignInit: CKR_KEY_HANDLE_INVALID (0x60)"));
    EXPECT_EQ(error.code(), CKR_KEY_HANDLE_INVALID);
    EXPECT_EQ(error.error_class(), ErrorClass::session_lost);
  }
}

TEST(Error, NamesTheSubjectBeforeTheRemedy) {
  const Error error = Error(CKR_PIN_LOCKED, "C_Login").on("token \"web\"");
  EXPECT_THAT(error.what(), StartsWith("C_Login: CKR_PIN_LOCKED (0xa4) for token \"web\"; "));
  EXPECT_EQ(error.code(), CKR_PIN_LOCKED);
  EXPECT_EQ(error.error_class(), ErrorClass::authentication);
}

// SoftHSM in a read-only directory or on a full disk says no more than that.
TEST(Error, OfACallThatWritesAsksWhetherTheTokenCanBeWritten) {
  for (const char* function :
       {"C_GenerateKeyPair", "C_CreateObject", "C_DestroyObject", "C_SetAttributeValue"}) {
    for (const CK_RV rv : {CKR_GENERAL_ERROR, CKR_FUNCTION_FAILED, CKR_DEVICE_ERROR})
      EXPECT_THAT(Error(rv, function).what(), HasSubstr("may this user write to the token")) << function;
    EXPECT_THAT(Error(CKR_DEVICE_REMOVED, function).what(), Not(HasSubstr("may this user write")))
        << function;
  }
  EXPECT_THAT(Error(CKR_GENERAL_ERROR, "C_Sign").what(), Not(HasSubstr("may this user write")));
}

TEST(Error, ThatKeystayFoundHasNoCode) {
  const Error error(ErrorClass::busy, "all sessions are busy; raise `sessions`");
  EXPECT_EQ(error.code(), std::nullopt);
  EXPECT_THAT(error.on("token \"web\"").what(),
              testing::MatchesRegex("all sessions are busy.*token \"web\".*; raise `sessions`"));
}

// Codes that stop a service say what the operator can do.
TEST(Error, HasARemedyWhereTheOperatorIsNeeded) {
  for (const auto& [code, name, error_class] : kExpectedReturnValues) {
    if (error_class != server && error_class != session_lost) continue;
    EXPECT_THAT(Error(code, "C_Sign").what(), HasSubstr("; ")) << name;
  }
  for (const CK_RV code :
       {CKR_PIN_INCORRECT, CKR_PIN_LOCKED, CKR_PIN_EXPIRED, CKR_USER_PIN_NOT_INITIALIZED}) {
    EXPECT_THAT(Error(code, "C_Login").what(), HasSubstr("; ")) << code;
  }
}

}  // namespace
}  // namespace keystay::pkcs11
