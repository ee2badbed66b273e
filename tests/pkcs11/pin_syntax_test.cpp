// What no token can have as its PIN is told without the token, which would count an attempt.
#include "native/pkcs11/pin_syntax.h"

#include <string>
#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace keystay::pkcs11 {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
using namespace std::string_literals;

std::string fault(std::string_view pin) {
  return fault_of_pin({reinterpret_cast<const std::uint8_t*>(pin.data()), pin.size()});
}

TEST(PinSyntax, IsAnyTextThatAPersonSeesAndTypes) {
  for (const char* pin : {"1234", "correct horse battery staple", "pässwört", "пароль", "暗証番号",
                          "\U0001F511", "e\u0301", "a\\b\"c'", "~!@#$%^&*()"}) {
    EXPECT_EQ(fault(pin), "") << pin;
  }
}

struct Odd {
  std::string bytes;
  std::size_t offset;
  const char* fault;
};

TEST(PinSyntax, HasNoByteThatNobodySees) {
  const Odd odd[] = {
      {"1234 ", 4, "ends with a blank"},
      {" 1234", 0, "begins with a blank"},
      {"12\t34", 2, "control character"},
      {"1234\0"s, 4, "control character"},
      {"1234\x7F", 4, "control character"},
      {"1234\u0080", 4, "control character"},
      {"1234\u0085", 4, "control character"},
      {"1234\u009F", 4, "control character"},
      {"1234\u00A0", 4, "invisible"},
      {"12\u00AD34", 2, "invisible"},
      {"\u200B1234", 0, "invisible"},
      {"1234\u200D", 4, "invisible"},
      {"1234\u200E", 4, "invisible"},
      {"1234\u2028", 4, "invisible"},
      {"1234\u202F", 4, "invisible"},
      {"1234\u2060", 4, "invisible"},
      {"1234\u3000", 4, "invisible"},
      {"1234\uFE0F", 4, "invisible"},
      {"1234\uFEFF", 4, "invisible"},
      {"1234\U000E0020", 4, "invisible"},
      {"12\uFFFD", 2, "could not be read"},
      {"1234\xE4", 4, "is not UTF-8"},            // Latin-1
      {"12\x80", 2, "is not UTF-8"},              // the second byte of nothing
      {"12\xC0\xB1", 2, "is not UTF-8"},          // longer than needed
      {"12\xED\xA0\x80", 2, "is not UTF-8"},      // a surrogate
      {"12\xF4\x90\x80\x80", 2, "is not UTF-8"},  // above U+10FFFF
      {"12\xE2\x82", 2, "is not UTF-8"},          // cut off
  };
  for (const Odd& pin : odd) {
    EXPECT_THAT(fault(pin.bytes), HasSubstr(pin.fault)) << testing::PrintToString(pin.bytes);
    EXPECT_THAT(fault(pin.bytes), EndsWith(" at byte offset " + std::to_string(pin.offset)));
  }
}

TEST(PinSyntax, NamesTheFirstFaultAndNothingOfThePin) {
  const std::string message = fault("geheim\u00A0mehr\x7F");
  EXPECT_THAT(message, EndsWith(" at byte offset 6"));
  EXPECT_THAT(message, Not(HasSubstr("geheim")));
  EXPECT_THAT(message, Not(HasSubstr("mehr")));
}

TEST(PinSyntax, IsNotWhatAnEditorMakesOfAFile) {
  EXPECT_THAT(fault("\xEF\xBB\xBF"
                    "1234"),
              StartsWith("begins with a byte-order mark"));
  EXPECT_EQ(fault("\xFE\xFF\0001"s), "is UTF-16");
  EXPECT_EQ(fault("\xFF\xFE"
                  "1\0"s),
            "is UTF-16");
  EXPECT_EQ(fault(""), "is empty");
}

}  // namespace
}  // namespace keystay::pkcs11
