// Names with a meaning of their own are given to nobody, through whichever front door.
#include "native/keys/alias_name.h"

#include "native/x509/certificate_bundle.h"
#include "tests/keys/key_store_test.h"

namespace keystay::keys {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::string_view kRefused[] = {"",         "id:01ab", "issuer-0", "unfinished-0", "ID:01ab",
                                         "Issuer-0", "dup#2",   "#1",       "a\nb",         "\x7f"};

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

TEST_F(AliasName, MayHoldAnyOtherText) {
  for (const std::string_view name :
       {"httpd", "Web Server (2026)", "m\u00fcller", "issuer", "id", "a:b", "a#b", "C#", "room 2"}) {
    EXPECT_NO_THROW(require_alias_name(name)) << name;
  }
}

}  // namespace
}  // namespace keystay::keys
