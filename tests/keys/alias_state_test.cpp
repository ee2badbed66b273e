// States of an alias: what its labels say, and that a key is not used while it is deactivated.
#include "native/keys/alias_state.h"

#include <array>
#include <chrono>
#include <thread>

#include "native/keys/rotation.h"
#include "tests/keys/key_store_test.h"

namespace keystay::keys {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

class AliasStateTest : public KeyStoreTest {
 protected:
  std::vector<std::string> aliases() {
    std::vector<std::string> aliases;
    for (const Entry& entry : store_.entries()) aliases.push_back(entry.alias);
    return aliases;
  }
  Entry certified(const std::string& alias) {
    const Entry entry = generate(alias);
    store_.replace_chain(entry, reply(entry));
    return store_.find(alias).value();
  }
};

TEST(AliasStateOfALabel, IsOfOneFormOnly) {
  struct Case {
    std::string label;
    AliasState state;
    std::string alias;
    unsigned number;
  };
  for (const Case& expected :
       {Case{"httpd", AliasState::active, "httpd", 0},
        {deactivated_label("httpd"), AliasState::deactivated, "httpd", 0},
        {next_label("httpd"), AliasState::next, "httpd", 0},
        {kept_label("a-b", 12), AliasState::kept, "a-b", 12},
        {"version-12", AliasState::active, "version-12", 0},
        {"version-", AliasState::active, "version-", 0},
        {"version-1-", AliasState::active, "version-1-", 0},
        {"version-01-a", AliasState::active, "version-01-a", 0},
        {"version-0-a", AliasState::active, "version-0-a", 0},
        {"version-99999999999999-a", AliasState::active, "version-99999999999999-a", 0},
        {"version-x-a", AliasState::active, "version-x-a", 0},
        {"version-next-", AliasState::active, "version-next-", 0},
        {"deactivated-", AliasState::active, "deactivated-", 0},
        {"", AliasState::active, "", 0}}) {
    const AliasVersion version = version_of(expected.label);
    EXPECT_EQ(version.state, expected.state) << expected.label;
    EXPECT_EQ(version.alias, expected.alias);
    EXPECT_EQ(version.number, expected.number);
    EXPECT_EQ(is_state_label(expected.label), expected.state != AliasState::active);
  }
}

TEST_F(AliasStateTest, IsNoNameThatANewAliasMayHave) {
  for (const char* name : {"deactivated-a", "Deactivated-a", "version-2-a", "Version-Next-a"}) {
    const auto error = error_of([&] { static_cast<void>(generate(name)); });
    ASSERT_TRUE(error) << name;
    EXPECT_THAT(error->what(), HasSubstr("cannot be an alias"));
  }
  EXPECT_THAT(aliases(), testing::IsEmpty());
}

TEST_F(AliasStateTest, KeepsTheNameFromOthersWhileItIsDeactivated) {
  generate("httpd");
  store_.rename(store_.find("httpd").value(), deactivated_label("httpd"));
  EXPECT_TRUE(error_of([&] { static_cast<void>(generate("HTTPD")); }));
  EXPECT_THAT(aliases(), ElementsAre("deactivated-httpd"));
}

// Whatever reference a program has to it, and although it is using the key: it looks every `key-check`.
TEST_F(AliasStateTest, EndsTheUseOfAKeyThatIsDeactivated) {
  auto token = std::make_shared<pkcs11::Token>(
      module_, pkcs11::TokenOptions{.name = "web",
                                    .identity = {.label = hsm_.label(), .serial = {}},
                                    .pin = [pin = hsm_.pin()] { return pkcs11::Pin(pin); },
                                    .timeout = std::chrono::seconds(60),
                                    .key_check = std::chrono::milliseconds(1)});
  KeyStore server(std::make_shared<TokenSource>(token), pkix_);
  generate("httpd");
  const Entry in_use = server.find("httpd").value();
  EXPECT_TRUE(signs(in_use));
  store_.rename(store_.find("httpd").value(), deactivated_label("httpd"));
  std::this_thread::sleep_for(std::chrono::milliseconds(10));  // longer than key_check, which is the law here
  const auto error = error_of([&] { static_cast<void>(signs(in_use)); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->error_class(), ErrorClass::client);
  EXPECT_THAT(error->what(),
              AllOf(HasSubstr("the key is deactivated"), HasSubstr("keystay activate -alias httpd")));
  store_.rename(store_.find(deactivated_label("httpd")).value(), "httpd");
  EXPECT_TRUE(signs(in_use));
}

TEST_F(AliasStateTest, LetsAKeyInUseBeRenamed) {
  generate("httpd");
  const Entry in_use = store_.find("httpd").value();
  EXPECT_TRUE(signs(in_use));
  store_.rename(in_use, "www");
  EXPECT_NO_THROW(static_cast<void>(store_.find("www")));
  EXPECT_FALSE(store_.find("httpd"));
}

TEST_F(AliasStateTest, KeepsTheOldKeyUsableByWhoHasLoadedIt) {
  const Entry old_key = certified("httpd");
  Rotation rotation(store_);
  const Entry next =
      rotation.begin(old_key, key_spec("EC", 256, ""), [&](const Entry& made) { return reply(made); });
  EXPECT_THAT(aliases(), ElementsAre("httpd", "version-next-httpd"));
  EXPECT_EQ(rotation.finish(old_key, next), 1U);
  EXPECT_THAT(aliases(), ElementsAre("httpd", "version-1-httpd"));
  const Entry new_key = store_.find("httpd").value();
  EXPECT_EQ(new_key.key.public_key(), next.key.public_key());
  ASSERT_TRUE(new_key.leaf);
  EXPECT_EQ(new_key.leaf->public_key, new_key.key.public_key());
  constexpr std::array<std::uint8_t, 32> kDigest{0x42};
  Bytes signature(old_key.key.signature_size());
  EXPECT_NO_THROW(static_cast<void>(old_key.key.sign(pkcs11::Ecdsa{}, kDigest, signature)));
}

TEST_F(AliasStateTest, FollowsNoKeyWithoutACertificate) {
  const Entry old_key = certified("httpd");
  Rotation rotation(store_);
  const Entry next = rotation.begin(old_key, key_spec("EC", 256, ""), [](const Entry&) { return Chain{}; });
  const auto error = error_of([&] { rotation.finish(old_key, next); });
  ASSERT_TRUE(error);
  EXPECT_THAT(error->what(), HasSubstr("has no certificate"));
  EXPECT_EQ(store_.find("httpd").value().key.public_key(), old_key.key.public_key());
}

}  // namespace
}  // namespace keystay::keys
