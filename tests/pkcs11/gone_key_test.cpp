// A key that another program destroys, replaces or restricts: whoever has signed with it finds out within
// key_check, though his sessions hold copies of it, which the token leaves alone.
#include <chrono>
#include <thread>
#include <vector>

#include "native/pkcs11/key_object.h"
#include "tests/pkcs11/token_test.h"

namespace keystay::pkcs11 {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

constexpr auto kInterval = 100ms;

class GoneKey : public TokenTest, public testing::WithParamInterface<KeyCopies> {
 protected:
  std::shared_ptr<Token> checking_token(std::chrono::milliseconds interval = kInterval) const {
    TokenOptions options = this->options();
    options.key_copies = GetParam();
    options.key_check = interval;
    return token(std::move(options));
  }
  // With its public half, as the front doors load it.
  KeyReference loaded(Token& token) const {
    KeyReference reference = key_;
    token.with_session([&](Session& session) {
      Template search;
      search.number(CKA_CLASS, CKO_PUBLIC_KEY).text(CKA_LABEL, key_.label());
      reference = {key_.id(), key_.label(), CKK_EC, read_keys(session, std::move(search)).at(0).public_key};
    });
    return reference;
  }
  void destroy(const std::string& label) const {
    for (const char* type : {"privkey", "pubkey"})
      hsm_.pkcs11_tool({"--delete-object", "--type", type, "--label", label});
  }
  void generate(const std::string& label, const std::string& id) const {
    hsm_.pkcs11_tool(
        {"--keypairgen", "--key-type", "EC:prime256v1", "--label", label, "--id", id, "--usage-sign"});
  }
  // Several sessions, each of which has signed with the key.
  void warm_up(Token& token) {
    faults_.delay(Function::C_Sign, 20ms);
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        for (int n = 0; n < 3; ++n) EXPECT_TRUE(verifies(sign(token)));
      });
    }
    threads.clear();
    faults_.delay(Function::C_Sign, 0ms);
    EXPECT_GT(faults_.open_sessions(), 2);
  }
};

TEST_P(GoneKey, DoesNotSignOnceTheIntervalHasPassed) {
  const auto token = checking_token();
  warm_up(*token);
  destroy("httpd");
  std::this_thread::sleep_for(kInterval);
  for (int i = 0; i < 8; ++i) {  // each in another session, as far as that is still open
    const auto error = error_of([&] { static_cast<void>(sign(*token)); });
    ASSERT_TRUE(error);
    EXPECT_THAT(error->what(), HasSubstr("no such private key on the token"));
    EXPECT_THAT(error->what(), HasSubstr("\"httpd\""));
  }
}

TEST_P(GoneKey, EndsUnderLoadInEveryThread) {
  const auto token = checking_token();
  warm_up(*token);
  std::vector<std::jthread> threads;
  std::atomic<int> ended = 0;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      const auto limit = std::chrono::steady_clock::now() + 60s;
      while (std::chrono::steady_clock::now() < limit) {
        if (error_of([&] { EXPECT_TRUE(verifies(sign(*token))); })) {
          ++ended;
          return;
        }
      }
    });
  }
  destroy("httpd");
  threads.clear();
  EXPECT_EQ(ended, 4);
  EXPECT_TRUE(error_of([&] { static_cast<void>(sign(*token)); }));
}

// Made anew under the same label and CKA_ID: neither the old key nor the new one may sign for the one that
// was loaded.
TEST_P(GoneKey, ReplacedByAnotherIsAnErrorAndNoSignature) {
  const auto token = checking_token();
  const KeyReference key = loaded(*token);
  EXPECT_TRUE(verifies(sign(*token, key)));
  destroy("httpd");
  generate("httpd", "01");
  std::this_thread::sleep_for(kInterval);
  const auto error = error_of([&] { static_cast<void>(sign(*token, key)); });
  ASSERT_TRUE(error);
  EXPECT_THAT(error->what(), HasSubstr("another one than the one that was loaded"));
  EXPECT_FALSE(error_of([&] { static_cast<void>(sign(*token, loaded(*token))); })) << "loaded again";
}

// The old public key was left behind: it says nothing of the new private key.
TEST_P(GoneKey, ReplacedBesideItsOldPublicKeyIsAnErrorToo) {
  const auto token = checking_token();
  const KeyReference key = loaded(*token);
  EXPECT_TRUE(verifies(sign(*token, key)));
  hsm_.pkcs11_tool({"--delete-object", "--type", "privkey", "--label", "httpd"});
  generate("httpd", "01");
  std::this_thread::sleep_for(kInterval);
  const auto error = error_of([&] { static_cast<void>(sign(*token, key)); });
  ASSERT_TRUE(error);
  EXPECT_THAT(error->what(), HasSubstr("several public keys"));
}

TEST_P(GoneKey, RestrictedByAnotherProgramIsRestrictedHere) {
  const auto token = checking_token();
  EXPECT_TRUE(verifies(sign(*token)));
  token->with_rw_session([](Session& session) {
    Template search;
    search.number(CKA_CLASS, CKO_PRIVATE_KEY).text(CKA_LABEL, "httpd");
    for (const CK_OBJECT_HANDLE object : session.find_token_objects(std::move(search)))
      session.set_attributes(object, std::move(Template().flag(CKA_SIGN, false)));
  });
  std::this_thread::sleep_for(kInterval);
  const auto error = error_of([&] { static_cast<void>(sign(*token)); });
  ASSERT_TRUE(error);
  EXPECT_THAT(error->what(), HasSubstr("CKA_SIGN"));
}

TEST_P(GoneKey, LeavesTheOtherKeysOfTheSessionsAlone) {
  generate("mail", "02");
  const KeyReference mail = ec_reference("mail", {0x02});
  const auto token = checking_token();
  EXPECT_TRUE(verifies(sign(*token)));
  static_cast<void>(sign(*token, mail));
  destroy("mail");
  std::this_thread::sleep_for(kInterval);
  EXPECT_TRUE(error_of([&] { static_cast<void>(sign(*token, mail)); }));
  EXPECT_TRUE(verifies(sign(*token)));
  faults_.reset_calls();
  for (int i = 0; i < 5; ++i) {
    EXPECT_TRUE(error_of([&] { static_cast<void>(sign(*token, mail)); }));
    EXPECT_TRUE(verifies(sign(*token)));
  }
  EXPECT_EQ(faults_.calls(Function::C_OpenSession), 0u) << "a key that is not there costs no session";
  EXPECT_EQ(faults_.calls(Function::C_CopyObject), 0u);
}

TEST_P(GoneKey, IsLookedForByOneCallInEachInterval) {
  const auto token = checking_token();
  EXPECT_TRUE(verifies(sign(*token)));
  const auto begin = std::chrono::steady_clock::now();
  faults_.reset_calls();
  std::uint64_t signatures = 0;
  while (faults_.calls(Function::C_GetAttributeValue) < 3) {
    ASSERT_TRUE(verifies(sign(*token)));
    ++signatures;
  }
  const std::uint64_t looks = faults_.calls(Function::C_GetAttributeValue);
  EXPECT_EQ(faults_.calls(), 2 * signatures + looks);
  EXPECT_LE(looks, static_cast<std::uint64_t>((std::chrono::steady_clock::now() - begin) / kInterval) + 1);
}

TEST_P(GoneKey, IsNotConfusedWithATokenThatDoesNotAnswer) {
  const auto token = checking_token();
  EXPECT_TRUE(verifies(sign(*token)));
  std::this_thread::sleep_for(kInterval);
  faults_.fail(Function::C_GetAttributeValue, CKR_DEVICE_ERROR, kEveryCall);
  const auto error = error_of([&] { static_cast<void>(sign(*token)); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), CKR_DEVICE_ERROR);
  faults_.reset();
  const auto limit = std::chrono::steady_clock::now() + 60s;
  while (error_of([&] { EXPECT_TRUE(verifies(sign(*token))); }))
    ASSERT_LT(std::chrono::steady_clock::now(), limit);
}

INSTANTIATE_TEST_SUITE_P(KeyCopies, GoneKey, testing::Values(KeyCopies::automatic, KeyCopies::never),
                         [](const auto& test) {
                           return test.param == KeyCopies::automatic ? "on_session_copies"
                                                                     : "on_the_token_object";
                         });

}  // namespace
}  // namespace keystay::pkcs11
