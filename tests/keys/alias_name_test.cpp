// Names with a meaning of their own are given to nobody, through whichever front door.
#include "native/keys/alias_name.h"

#include "native/x509/certificate_bundle.h"
#include "tests/keys/key_store_test.h"

namespace keystay::keys {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr std::string_view kRefused[] = {"",         "id:01ab", "issuer-0", "unfinished-0", "ID:01ab",
                                         "Issuer-0", "dup#2",   "#1",       "a\nb",         "\x7f",
                                         " httpd",   "httpd ",  " "};

struct Hidden {
  const char* name;
  const char* character;
};
// Of each kind: control, format, blank, not drawn, variation, tag, noncharacter.
constexpr Hidden kHidden[] = {
    {"ht\u202etpd", "U+202E"}, {"ht\u200btpd", "U+200B"}, {"a\u00a0b", "U+00A0"}, {"a\u0085", "U+0085"},
    {"a\u2028b", "U+2028"},    {"\ufeffa", "U+FEFF"},     {"a\u3000b", "U+3000"}, {"a\u00ad", "U+00AD"},
    {"a\u2066b", "U+2066"},    {"a\u3164", "U+3164"},     {"a\ufe0f", "U+FE0F"},  {"a\U000e0041", "U+E0041"},
    {"a\uffff", "U+FFFF"},     {"a\u061c", "U+061C"},     {"a\tb", "U+0009"},     {"a\u2800b", "U+2800"}};

class AliasName : public KeyStoreTest {
 protected:
  static void expect_refused(std::string_view name, const std::function<void()>& body) {
    const std::optional<Error> error = error_of(body);
    ASSERT_TRUE(error) << name;
    EXPECT_EQ(error->error_class(), ErrorClass::client);
    EXPECT_THAT(error->what(), HasSubstr("cannot be an alias: it must be printable text"));
  }
};

TEST_F(AliasName, WithAMeaningOfItsOwnIsNoKeys) {
  for (const std::string_view name : kRefused) {
    expect_refused(name, [&] { store_.generate(name, key_spec("EC", 256, "")); });
  }
  EXPECT_THAT(inventory(), IsEmpty());
  const Entry entry = generate("httpd");
  for (const std::string_view name : kRefused) {
    expect_refused(name, [&] { store_.rename(entry, name); });
  }
  EXPECT_TRUE(store_.find("httpd", {}));
}

TEST_F(AliasName, WithAMeaningOfItsOwnIsNoTrustedCertificates) {
  const Certificate root = x509::read_certificates(ca_.root_pem()).front();
  for (const std::string_view name : kRefused) {
    expect_refused(name, [&] { store_.add_certificate(name, root); });
  }
  EXPECT_THAT(inventory(), IsEmpty());
}

TEST_F(AliasName, WithACharacterThatCannotBeSeenIsRefusedByItsCodePoint) {
  const Entry entry = generate("httpd");
  const Certificate root = x509::read_certificates(ca_.root_pem()).front();
  const auto before = inventory();
  for (const auto& [name, character] : kHidden) {
    for (const std::function<void()>& body :
         {std::function<void()>([&] { generate(name); }),
          std::function<void()>([&] { store_.rename(entry, name); }),
          std::function<void()>([&] { store_.add_certificate(name, root); })}) {
      const std::optional<Error> error = error_of(body);
      ASSERT_TRUE(error) << character;
      EXPECT_THAT(error->what(), AllOf(HasSubstr(character), Not(HasSubstr(name))));
    }
  }
  EXPECT_EQ(inventory(), before);
}

// That others gave: it stays usable, and is shown in a way that can be read.
TEST_F(AliasName, OfOthersWithSuchACharacterIsFoundAndShownEscaped) {
  hsm_.pkcs11_tool({"--keypairgen", "--key-type", "EC:prime256v1", "--label", "ht\u202etpd", "--id", "0a"});
  const std::optional<Entry> found = store_.find("ht\u202etpd");
  ASSERT_TRUE(found);
  EXPECT_TRUE(signs(*found));
  EXPECT_EQ(quoted_alias(found->alias), "alias \"ht\\u{202E}tpd\"");
  EXPECT_EQ(quoted_alias("\xe9t\xe9"), "alias \"\\x{E9}t\\x{E9}\"");
  store_.rename(*found, "httpd");
  EXPECT_TRUE(store_.find("httpd"));
}

TEST_F(AliasName, MayHoldAnyOtherText) {
  for (const std::string_view name : {"httpd", "Web Server (2026)", "m\u00fcller", "\u65e5\u672c",
                                      "\U0001f512", "issuer", "id", "a:b", "a#b", "C#", "room 2"}) {
    EXPECT_NO_THROW(require_alias_name(name)) << name;
  }
}

}  // namespace
}  // namespace keystay::keys
