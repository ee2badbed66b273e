// A key store works with a source of keys of any kind.
#include "tests/keys/key_store_test.h"
#include "tests/support/planned_source.h"

namespace keystay::keys {
namespace {

using testing::HasSubstr;

class Source : public KeyStoreTest {
 protected:
  std::shared_ptr<test::Plan> plan_ = std::make_shared<test::Plan>();
  std::shared_ptr<KeySource> source_ =
      std::make_shared<test::PlannedSource>(std::make_shared<TokenSource>(token_), plan_);
  KeyStore keys_{source_, pkix_};
};

TEST_F(Source, OfAnotherKindHasAliasesLikeAToken) {
  const Entry made = keys_.generate("httpd", {key_spec("EC", 256, ""), KeyUse::sign});
  EXPECT_TRUE(signs(made));
  EXPECT_EQ(plan_->signatures, 1);
  keys_.replace_chain(made, reply(made));
  EXPECT_EQ(keys_.chain(made).size(), 0U) << "of the entry as it was read";
  const std::optional<Entry> found = keys_.find("httpd");
  ASSERT_TRUE(found);
  EXPECT_EQ(keys_.chain(*found).size(), 2U);
  keys_.rename(*found, "www");
  ASSERT_EQ(keys_.entries().size(), 1U);
  EXPECT_TRUE(signs(keys_.entries().front()));
  keys_.destroy(keys_.entries().front());
  EXPECT_TRUE(inventory().empty());
}

TEST_F(Source, ThatFailsByPlanFailsWithItsOwnErrorEverywhere) {
  const Entry made = keys_.generate("httpd", {key_spec("EC", 256, ""), KeyUse::sign});
  plan_->failure = CKR_DEVICE_REMOVED;
  for (const std::function<void()>& use : {std::function<void()>([&] { (void)signs(made); }),
                                           std::function<void()>([&] { (void)keys_.find("httpd"); }),
                                           std::function<void()>([&] { keys_.destroy(made); })}) {
    const std::optional<Error> error = error_of(use);
    ASSERT_TRUE(error);
    EXPECT_EQ(error->code(), CKR_DEVICE_REMOVED);
    EXPECT_EQ(error->error_class(), ErrorClass::server);
  }
  plan_->failure = CKR_OK;
  EXPECT_TRUE(signs(made));
}

TEST_F(Source, OfATokenTellsWhatItWasConfiguredWith) {
  TokenSource source(token_);
  EXPECT_EQ(source.capacity(), token_->options().sessions);
  EXPECT_EQ(source.timeout(), token_->options().timeout);
  EXPECT_EQ(source.pin_supply(), PinSupply::configured);
  EXPECT_EQ(source.without_login()->pin_supply(), PinSupply::none);
  EXPECT_TRUE(source.wants_pin());
  EXPECT_EQ(faults_.calls(Function::C_Login), 0U) << "the question does not log in";
  source.recover();
  EXPECT_EQ(faults_.calls(Function::C_Login), 1U);
}

}  // namespace
}  // namespace keystay::keys
