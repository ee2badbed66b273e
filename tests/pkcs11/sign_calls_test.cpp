// A signature costs one C_SignInit and one C_Sign, and nothing else, once the key has been found.
#include <thread>
#include <vector>

#include "tests/pkcs11/token_test.h"

namespace keystay::pkcs11 {
namespace {

class SignCalls : public TokenTest, public testing::WithParamInterface<KeyCopies> {
 protected:
  std::shared_ptr<Token> warm_token() const {
    TokenOptions options = this->options();
    options.key_copies = GetParam();
    auto token = this->token(options);
    EXPECT_TRUE(verifies(sign(*token)));
    faults_.reset_calls();
    return token;
  }
  void expect_two_calls_for_each_of(std::uint64_t signatures) const {
    EXPECT_EQ(faults_.calls(Function::C_SignInit), signatures);
    EXPECT_EQ(faults_.calls(Function::C_Sign), signatures);
    EXPECT_EQ(faults_.calls(), 2 * signatures);
  }
};

TEST_P(SignCalls, OneInitAndOneSign) {
  const auto token = warm_token();
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(verifies(sign(*token)));
  expect_two_calls_for_each_of(50);
}

TEST_P(SignCalls, AskingForMechanismsAgainCostsNothing) {
  const auto token = warm_token();
  EXPECT_TRUE(token->supports(Sign{Ecdsa{}}));
  EXPECT_TRUE(token->supports(Sign{RsaPkcs{}}));
  faults_.reset_calls();
  for (int i = 0; i < 10; ++i)
    EXPECT_TRUE(token->supports(Sign{Ecdsa{}}) && token->supports(Sign{RsaPkcs{}}));
  EXPECT_EQ(faults_.calls(), 0u);
}

TEST_P(SignCalls, EachSessionOfEachThreadIsWarmedUpOnce) {
  const auto token = warm_token();
  faults_.delay(Function::C_Sign, std::chrono::milliseconds(1));
  const auto sign_in_four_threads = [&] {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        for (int n = 0; n < 25; ++n) EXPECT_TRUE(verifies(sign(*token)));
      });
    }
  };
  sign_in_four_threads();
  EXPECT_LE(faults_.calls(Function::C_OpenSession), 4u);
  EXPECT_EQ(faults_.calls(Function::C_FindObjectsInit), 0u)
      << "the token's object is found once for all sessions";
  EXPECT_LE(faults_.calls(Function::C_CopyObject), 4u);
  EXPECT_EQ(faults_.calls(Function::C_SignInit), 100u);
  EXPECT_EQ(faults_.calls(Function::C_Sign), 100u);
}

TEST_P(SignCalls, SecondKeyOfASessionIsFoundOnce) {
  hsm_.pkcs11_tool(
      {"--keypairgen", "--key-type", "EC:prime256v1", "--label", "mail", "--id", "02", "--usage-sign"});
  const auto token = warm_token();
  const KeyReference mail = ec_reference("mail", {0x02});
  sign(*token, mail);
  faults_.reset_calls();
  for (int i = 0; i < 10; ++i) {
    sign(*token, mail);
    ASSERT_TRUE(verifies(sign(*token)));
  }
  expect_two_calls_for_each_of(20);
}

// While one thread copies the key for its session, SoftHSM shows the unfinished copy as one more token
// object.
TEST_P(SignCalls, SixteenThreadsFindTheKeyAtTheSameTime) {
  TokenOptions options = this->options();
  options.key_copies = GetParam();
  for (int round = 0; round < 5; ++round) {
    const auto token = this->token(options);
    std::vector<std::jthread> threads;
    for (int i = 0; i < 16; ++i) {
      threads.emplace_back([&] {
        const std::optional<Error> error = error_of([&] { EXPECT_TRUE(verifies(sign(*token))); });
        EXPECT_FALSE(error) << error->what();
      });
    }
  }
}

INSTANTIATE_TEST_SUITE_P(KeyCopies, SignCalls, testing::Values(KeyCopies::automatic, KeyCopies::never),
                         [](const auto& test) {
                           return test.param == KeyCopies::automatic ? "on_session_copies"
                                                                     : "on_the_token_object";
                         });

class KeyCopy : public TokenTest {};

TEST_F(KeyCopy, IsASessionObjectAndNeverATokenObject) {
  const auto token = this->token();
  ASSERT_TRUE(verifies(sign(*token)));
  EXPECT_EQ(faults_.calls(Function::C_CopyObject), 1u);
  const std::string listed = hsm_.pkcs11_tool({"--list-objects", "--type", "privkey"});
  EXPECT_EQ(listed.find("Private Key Object"), listed.rfind("Private Key Object")) << listed;
}

TEST_F(KeyCopy, StaysSensitiveAndNotExtractable) {
  const auto token = this->token();
  ASSERT_TRUE(verifies(sign(*token)));
  token->with_session([](Session& session) {
    Template search;
    search.number(CKA_CLASS, CKO_PRIVATE_KEY).flag(CKA_TOKEN, false);
    const std::vector<CK_OBJECT_HANDLE> copies = session.find_objects(std::move(search));
    EXPECT_EQ(copies.size(), 1u);
    for (const CK_OBJECT_HANDLE copy : copies) {
      constexpr CK_ATTRIBUTE_TYPE kTypes[] = {CKA_SENSITIVE, CKA_EXTRACTABLE, CKA_PRIVATE, CKA_VALUE};
      const Attributes attributes = session.attributes(copy, kTypes);
      EXPECT_EQ(attributes.flag(CKA_SENSITIVE), true);
      EXPECT_EQ(attributes.flag(CKA_EXTRACTABLE), false);
      EXPECT_EQ(attributes.flag(CKA_PRIVATE), true);
      EXPECT_EQ(attributes.find(CKA_VALUE), nullptr);
    }
  });
}

TEST_F(KeyCopy, IsNotMadeWhenConfiguredSo) {
  TokenOptions options = this->options();
  options.key_copies = KeyCopies::never;
  ASSERT_TRUE(verifies(sign(*token(options))));
  EXPECT_EQ(faults_.calls(Function::C_CopyObject), 0u);
}

TEST_F(KeyCopy, TokenThatForbidsItSignsWithItsOwnObject) {
  for (const CK_RV code : {CKR_ACTION_PROHIBITED, CKR_FUNCTION_NOT_SUPPORTED, CKR_TEMPLATE_INCONSISTENT,
                           CKR_ATTRIBUTE_READ_ONLY, CKR_DEVICE_MEMORY}) {
    faults_.reset();
    faults_.fail(Function::C_CopyObject, code, kEveryCall);
    const auto token = this->token();
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(verifies(sign(*token))) << describe(code);
    EXPECT_EQ(faults_.calls(Function::C_CopyObject), 1u) << "asked once per session: " << describe(code);
  }
}

}  // namespace
}  // namespace keystay::pkcs11
