// What cannot be seen is not absent: without a login a token shows no private keys, and nothing is concluded
// from that.
#include "native/x509/certificate_bundle.h"
#include "tests/keys/key_store_test.h"

namespace keystay::keys {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

class Unlogged : public KeyStoreTest {
 protected:
  std::shared_ptr<KeySource> without_pin() const {
    return std::make_shared<TokenSource>(std::make_shared<pkcs11::Token>(
        module_,
        pkcs11::TokenOptions{.name = "web", .identity = {.label = hsm_.label(), .serial = {}}, .pin = {}}));
  }
  static void expect_wants_a_login(const std::function<void()>& body) {
    const std::optional<Error> error = error_of(body);
    ASSERT_TRUE(error);
    EXPECT_EQ(error->error_class(), ErrorClass::authentication);
    EXPECT_THAT(error->what(), HasSubstr("wants a login"));
  }

  Certificate root_ = x509::read_certificates(ca_.root_pem()).front();
};

TEST_F(Unlogged, TokenIsNotJudged) {
  const Entry entry = generate("httpd");
  const Chain chain = reply(entry);  // which takes the key, and so a login
  store_.replace_chain(entry, chain);
  store_.add_certificate("root", root_);
  const std::vector<std::string> before = inventory();
  faults_.drop_login();

  KeyStore blind(without_pin(), pkix_);
  expect_wants_a_login([&] { (void)blind.entries(); });
  expect_wants_a_login([&] { (void)blind.list(); });
  expect_wants_a_login([&] { (void)blind.find("httpd"); });
  expect_wants_a_login([&] { (void)blind.find("", entry.key.reference().id()); });
  expect_wants_a_login([&] { blind.replace_chain(entry, chain); });
  expect_wants_a_login(
      [&] { blind.add_certificate("httpd", x509::read_certificates(ca_.intermediate_pem()).front()); });
  expect_wants_a_login([&] { blind.rename(entry, "www"); });
  expect_wants_a_login([&] { blind.destroy(entry); });
  expect_wants_a_login([&] { (void)blind.generate("httpd", key_spec("EC", 256, "")); });
  EXPECT_EQ(inventory(), before);
}

TEST_F(Unlogged, TokenMayBeReadAsItShowsItselfByThoseWhoConcludeNothing) {
  const Entry entry = generate("httpd");
  store_.replace_chain(entry, reply(entry));
  faults_.drop_login();
  KeyStore shown(without_pin(), pkix_, View::as_shown);
  EXPECT_FALSE(shown.find("httpd"));
  EXPECT_THAT(shown.list().trusted, SizeIs(1));
  expect_wants_a_login([&] { shown.destroy(entry); });
}

// The login is another's to end: SunPKCS11 with the same module, for example.
TEST_F(Unlogged, TokenIsLoggedInAgainBeforeAnythingIsConcluded) {
  const Entry entry = generate("httpd");
  const std::vector<std::string> before = inventory();
  const auto each = {std::function<void()>([&] { EXPECT_THAT(store_.entries(), SizeIs(1)); }),
                     std::function<void()>([&] { EXPECT_TRUE(store_.find("httpd")); }),
                     std::function<void()>([&] { EXPECT_THAT(store_.list().entries, SizeIs(1)); }),
                     std::function<void()>([&] { EXPECT_TRUE(error_of([&] { generate("httpd"); })); })};
  for (const std::function<void()>& conclusion : each) {
    faults_.drop_login();
    conclusion();
  }
  EXPECT_EQ(inventory(), before);
}

}  // namespace
}  // namespace keystay::keys
