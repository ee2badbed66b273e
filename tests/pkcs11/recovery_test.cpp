// A lost session, a stale handle, a re-initialised module or a returned token is repaired once, while the
// process runs.
#include <atomic>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "tests/pkcs11/token_test.h"

namespace keystay::pkcs11 {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;
using testing::HasSubstr;

class Recovery : public TokenTest {
 protected:
  Recovery() {
    EXPECT_TRUE(verifies(sign(*token_)));
    faults_.reset_calls();
  }

  // Signs until it works; false if it does not within a minute.
  bool signs_again() {
    const auto deadline = steady_clock::now() + std::chrono::minutes(1);
    while (error_of([&] { sign(*token_); })) {
      if (steady_clock::now() > deadline) return false;
      std::this_thread::sleep_for(milliseconds(5));
    }
    return verifies(sign(*token_));
  }

  std::shared_ptr<Token> token_ = token();
};

// Another user of the module in this process starts it anew, and logs in. Handles are counted from the
// beginning then: that of "httpd" is the one of "mail".
TEST_F(Recovery, OfAModuleThatStartedAnewUsesNoHandleOfBefore) {
  hsm_.pkcs11_tool(
      {"--keypairgen", "--key-type", "EC:prime256v1", "--label", "mail", "--id", "02", "--usage-sign"});
  for (const KeyCopies copies : {KeyCopies::automatic, KeyCopies::never}) {
    TokenOptions options = this->options();
    options.key_copies = copies;
    const auto first = token(options);
    faults_.forget_initialize();
    EXPECT_TRUE(verifies(sign(*first)));
    faults_.fail(Function::C_Sign, CKR_DATA_LEN_RANGE);
    EXPECT_TRUE(error_of([&] { sign(*first); })) << "the session is closed, and no other is open";
    faults_.forget_initialize();
    const auto other = token(options);
    static_cast<void>(sign(*other, ec_reference("mail", {0x02})));
    EXPECT_TRUE(verifies(sign(*first))) << "by the key that was meant";
  }
}

TEST_F(Recovery, OfLostSessionsLogsInAndFindsTheKeyAgain) {
  faults_.drop_sessions();
  EXPECT_TRUE(verifies(sign(*token_)));
  EXPECT_EQ(faults_.calls(Function::C_Login), 1u);
  EXPECT_EQ(faults_.calls(Function::C_Sign), 1u);
  EXPECT_EQ(faults_.calls(Function::C_Initialize), 0u) << "the module was well";
}

TEST_F(Recovery, OfALostLoginLogsInAgain) {
  faults_.drop_login();
  EXPECT_TRUE(verifies(sign(*token_)));
  EXPECT_EQ(faults_.calls(Function::C_Login), 1u);
}

TEST_F(Recovery, OfAModuleThatSomebodyFinalizedInitializesIt) {
  faults_.forget_initialize();
  EXPECT_TRUE(verifies(sign(*token_)));
  EXPECT_EQ(faults_.calls(Function::C_Initialize), 1u);
  EXPECT_EQ(faults_.initialize_flags(), CKF_OS_LOCKING_OK);
  EXPECT_EQ(faults_.calls(Function::C_Login), 1u);
}

TEST_F(Recovery, OfAModuleServesEveryTokenOfIt) {
  const auto second = token();
  ASSERT_TRUE(verifies(sign(*second)));
  faults_.forget_initialize();
  EXPECT_TRUE(verifies(sign(*token_)));
  EXPECT_TRUE(verifies(sign(*second)));
}

TEST_F(Recovery, IsRepeatedWheneverItIsNeeded) {
  for (int i = 0; i < 5; ++i) {
    faults_.drop_sessions();
    EXPECT_TRUE(verifies(sign(*token_))) << i;
    faults_.forget_initialize();
    EXPECT_TRUE(verifies(sign(*token_))) << i;
  }
}

TEST_F(Recovery, CostsNothingAfterwards) {
  faults_.drop_sessions();
  ASSERT_TRUE(verifies(sign(*token_)));
  faults_.reset_calls();
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(verifies(sign(*token_)));
  EXPECT_EQ(faults_.calls(), 20u);
}

TEST_F(Recovery, IsSingleFlight) {
  faults_.drop_sessions();
  std::vector<std::jthread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] { (void)error_of([&] { sign(*token_); }); });
  }
  threads.clear();
  EXPECT_EQ(faults_.calls(Function::C_Login), 1u);
  EXPECT_TRUE(signs_again());
}

TEST_F(Recovery, OfAWithSessionBodyRunsItOnceMore) {
  int runs = 0;
  faults_.drop_sessions();
  token_->with_session([&](Session& session) {
    ++runs;
    EXPECT_FALSE(session.find_objects({}).empty());
  });
  EXPECT_EQ(runs, 2);
}

TEST_F(Recovery, OfAWriterRunsItsBodyOnceMoreOnlyIfTheSessionWasLost) {
  int runs = 0;
  const auto body = [&](Session& session) {
    ++runs;
    session.create_object(
        std::move(Template().number(CKA_CLASS, CKO_DATA).flag(CKA_TOKEN, false).text(CKA_LABEL, "note")));
  };
  faults_.fail(Function::C_CreateObject, CKR_SESSION_HANDLE_INVALID);
  token_->with_rw_session(body);
  EXPECT_EQ(runs, 2);

  runs = 0;
  faults_.fail(Function::C_CreateObject, CKR_DEVICE_ERROR);
  const std::optional<Error> error = error_of([&] { token_->with_rw_session(body); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), CKR_DEVICE_ERROR);
  EXPECT_EQ(runs, 1) << "what a sick token may have done half is not done twice";
}

TEST_F(Recovery, OfATokenThatLeftAndCameBack) {
  faults_.remove_token();
  const std::optional<Error> gone = error_of([&] { sign(*token_); });
  ASSERT_TRUE(gone);
  EXPECT_EQ(gone->error_class(), ErrorClass::server) << gone->what();
  faults_.return_token();
  EXPECT_TRUE(signs_again());
}

TEST_F(Recovery, AsksATokenThatIsAwayOnlyNowAndThen) {
  faults_.remove_token();
  ASSERT_TRUE(error_of([&] { sign(*token_); }));
  faults_.reset_calls();
  const auto start = steady_clock::now();
  std::uint64_t refused = 0;
  while (steady_clock::now() < start + milliseconds(500)) {
    const Deadline deadline = token_->deadline();
    refused += error_of([&] { sign(*token_); }) ? 1u : 0u;
    ASSERT_LT(steady_clock::now(), deadline) << "a token that is away is no reason to wait";
  }
  EXPECT_LT(faults_.calls(Function::C_GetSlotList), refused) << "most answers come without asking the token";
}

TEST_F(Recovery, OfADeletedKeyIsAClearError) {
  hsm_.pkcs11_tool({"--delete-object", "--type", "privkey", "--id", "01"});
  TokenOptions options = this->options();
  options.key_copies = KeyCopies::never;
  const auto token = this->token(options);
  const std::optional<Error> error = error_of([&] { sign(*token); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->error_class(), ErrorClass::client);
  EXPECT_THAT(error->what(), HasSubstr("no such private key"));
  EXPECT_THAT(error->what(), HasSubstr("alias \"httpd\" on token \"web\""));
}

TEST_F(Recovery, OfADirtySessionTakesAnother) {
  faults_.leave_failed_signs_active();
  faults_.fail(Function::C_SignInit, CKR_OPERATION_ACTIVE);
  EXPECT_TRUE(verifies(sign(*token_)));
  EXPECT_EQ(faults_.calls(Function::C_Login), 0u);
  EXPECT_EQ(faults_.calls(Function::C_FindObjectsInit), 0u);
  EXPECT_EQ(faults_.calls(Function::C_CloseSession), 1u);
}

TEST_F(Recovery, NeverSignsWithAnotherKeyUnderTheSameId) {
  // The reference knows its public key, as every front door's does.
  std::optional<PublicKey> known;
  token_->with_session([&](Session& session) {
    Template search;
    search.number(CKA_CLASS, CKO_PUBLIC_KEY).bytes(CKA_ID, key_.id());
    constexpr CK_ATTRIBUTE_TYPE kTypes[] = {CKA_EC_PARAMS, CKA_EC_POINT};
    const Attributes attributes = session.attributes(session.find_objects(std::move(search)).at(0), kTypes);
    Bytes point = attributes.bytes(CKA_EC_POINT);
    point.erase(point.begin(), point.begin() + 2);  // the OCTET STRING around it
    known = EcPublicKey{attributes.bytes(CKA_EC_PARAMS), point};
  });
  const KeyReference key({0x01}, "httpd", CKK_EC, known);
  ASSERT_TRUE(verifies(sign(*token_, key)));

  for (const char* type : {"privkey", "pubkey"})
    hsm_.pkcs11_tool({"--delete-object", "--type", type, "--id", "01"});
  hsm_.pkcs11_tool(
      {"--keypairgen", "--key-type", "EC:prime256v1", "--label", "httpd", "--id", "01", "--usage-sign"});
  faults_.drop_sessions();
  const std::optional<Error> error = error_of([&] { sign(*token_, key); });
  ASSERT_TRUE(error);
  EXPECT_THAT(error->what(), HasSubstr("another one"));
}

TEST_F(Recovery, TwoKeysUnderOneIdAreAnError) {
  hsm_.pkcs11_tool(
      {"--keypairgen", "--key-type", "EC:prime256v1", "--label", "httpd", "--id", "01", "--usage-sign"});
  const auto token = this->token();
  faults_.reset_calls();
  const std::optional<Error> error = error_of([&] { sign(*token); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->error_class(), ErrorClass::client);
  EXPECT_THAT(error->what(), HasSubstr("several private keys match"));
  // Neither is an unfinished copy of the other, for nobody copies: they are looked at twice, and no more.
  EXPECT_EQ(faults_.calls(Function::C_GetAttributeValue), 4u);
}

// What happens while eight threads sign: each signature is good, or fails with an error that has a class.
class RecoveryUnderLoad : public Recovery {
 protected:
  static constexpr int kThreads = 8;

  // Runs `disturb` again and again while all threads sign.
  void while_signing(const std::function<void()>& disturb) {
    std::atomic<int> good = 0;
    std::mutex mutex;
    std::string last_error;
    {
      std::vector<std::jthread> threads;
      for (int i = 0; i < kThreads; ++i) {
        threads.emplace_back([&](const std::stop_token& stop) {
          while (!stop.stop_requested()) {
            const std::optional<Error> error = error_of([&] {
              EXPECT_TRUE(verifies(sign(*token_)));
              ++good;
            });
            if (!error) continue;
            {
              const std::lock_guard lock(mutex);
              last_error = error->what();
            }
            std::this_thread::sleep_for(milliseconds(1));
          }
        });
      }
      for (int i = 0; i < 10; ++i) {
        disturb();
        const int before = good;
        const auto deadline = steady_clock::now() + seconds(30);
        while (good < before + 3 * kThreads) {
          if (steady_clock::now() > deadline) {
            const std::lock_guard lock(mutex);
            FAIL() << "no signatures any more; the last error: " << last_error;
          }
          std::this_thread::sleep_for(milliseconds(1));
        }
      }
    }
    ASSERT_TRUE(signs_again());
    for (int i = 0; i < kThreads; ++i) EXPECT_TRUE(verifies(sign(*token_)));
  }
};

TEST_F(RecoveryUnderLoad, OfLostSessions) {
  while_signing([&] { faults_.drop_sessions(); });
}

TEST_F(RecoveryUnderLoad, OfALostLogin) {
  while_signing([&] { faults_.drop_login(); });
}

TEST_F(RecoveryUnderLoad, OfAModuleThatSomebodyFinalized) {
  while_signing([&] { faults_.forget_initialize(); });
}

TEST_F(RecoveryUnderLoad, OfATokenThatLeavesAndComesBack) {
  while_signing([&] {
    faults_.remove_token();
    std::this_thread::sleep_for(milliseconds(20));
    faults_.return_token();
  });
}

TEST_F(RecoveryUnderLoad, OfSessionsThatAreDirty) {
  faults_.leave_failed_signs_active();
  while_signing([&] { faults_.fail(Function::C_Sign, CKR_FUNCTION_FAILED, 5); });
}

}  // namespace
}  // namespace keystay::pkcs11
