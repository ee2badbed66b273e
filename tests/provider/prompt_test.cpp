// pin = "prompt": OpenSSL's passphrase callbacks and UI methods.
#include <atomic>
#include <string>
#include <thread>

#include <openssl/err.h>
#include <openssl/ui.h>
#include <sys/wait.h>

#include "native/x509/pem_reference.h"
#include "tests/provider/provider_test.h"
#include "tests/provider/signing.h"

namespace keystay::test {
namespace {

using F = Function;

class PromptTest : public ProviderTest {
 protected:
  PromptTest() {
    setenv("KEYSTAY_CONF",
           token()
               .directory()
               .write("prompt.toml", "[token.web]\nmodule = \"" + token().module().string() +
                                         "\"\nlabel = \"web\"\npin = \"prompt\"\n")
               .c_str(),
           1);
    faults().forget_initialize();  // nobody is logged in
    questions = 0;
    answer = token().pin();
  }

  static int answer_callback(char* buffer, int size, int /*writing*/, void* /*argument*/) {
    ++questions;
    EXPECT_LT(static_cast<int>(answer.size()), size);
    answer.copy(buffer, answer.size());
    return static_cast<int>(answer.size());
  }

  [[nodiscard]] std::optional<pkcs11::Bytes> sign_with(const EvpPkey& key) const {
    return sign(context_, key.get(), "SHA256", bytes_of("prompted"));
  }

  static inline std::atomic<int> questions = 0;
  static inline std::string answer;
  LibraryContext context_;
};

// The first signature, perhaps in a worker, can ask nobody.
TEST_F(PromptTest, AReferenceAsksWhenItIsLoadedAndOnce) {
  const EvpPkey key = context_.read_pem(reference("ec"), answer_callback);
  ASSERT_TRUE(key) << take_errors();
  const EvpPkey again = context_.read_pem(reference("rsa"), answer_callback);
  EXPECT_EQ(questions, 1);
  EXPECT_EQ(faults().calls(), 0u);
  EXPECT_TRUE(sign_with(key)) << take_errors();
  EXPECT_TRUE(sign_with(again)) << take_errors();
  EXPECT_EQ(questions, 1);
}

// Pitfall 18.
TEST_F(PromptTest, TheAnswerIsKnownAfterTheForkAndAfterALostLogin) {
  const EvpPkey key = context_.read_pem(reference("ec"), answer_callback);
  ASSERT_TRUE(sign_with(key)) << take_errors();
  faults().drop_login();
  EXPECT_TRUE(sign_with(key)) << take_errors();
  const pid_t child = fork();
  if (child == 0) _exit(sign_with(key) ? 0 : 1);
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(questions, 1);
}

TEST_F(PromptTest, AStoreAsksThroughItsUiMethod) {
  struct Dialogue {
    std::string prompt;
    std::string answer;
  } dialogue{{}, token().pin()};
  const Owned<UI_METHOD, UI_destroy_method> method(UI_create_method("test"));
  UI_method_set_reader(method.get(), [](UI* ui, UI_STRING* question) {
    auto& data = *static_cast<Dialogue*>(UI_get0_user_data(ui));
    data.prompt = UI_get0_output_string(question);
    return UI_set_result(ui, question, data.answer.c_str()) == 0 ? 1 : 0;
  });
  const EvpPkey key = context_.load_with_ui("keystay:ec", method.get(), &dialogue);
  ASSERT_TRUE(key) << take_errors();
  EXPECT_THAT(dialogue.prompt, testing::HasSubstr("web"));
  EXPECT_TRUE(sign_with(key)) << take_errors();
}

// A person who reads a certificate has no PIN to give.
TEST_F(PromptTest, NobodyIsAskedForWhatTheTokenShowsToEverybody) {
  const Owned<UI_METHOD, UI_destroy_method> method(UI_create_method("test"));
  UI_method_set_reader(method.get(), [](UI* /*ui*/, UI_STRING* /*question*/) {
    ++questions;
    return 0;
  });
  for (const char* name :
       {"keystay:ec", "pkcs11:token=web;object=ec;type=public", "pkcs11:token=web;id=%02"}) {
    EXPECT_TRUE(context_.load_with_ui(name, method.get(), nullptr, OSSL_STORE_INFO_PUBKEY)) << take_errors();
  }
  pkcs11::Uri uri;
  uri.token = "web";
  uri.object = "ec";
  uri.type = CKO_PUBLIC_KEY;
  const std::string reference = token().directory().write("public.ref", x509::encode_pem_reference(uri));
  EXPECT_TRUE(context_.load_with_ui(reference, method.get(), nullptr, OSSL_STORE_INFO_PUBKEY))
      << take_errors();
  EXPECT_EQ(questions, 0);
  EXPECT_EQ(faults().calls(F::C_Login), 0u);
  EXPECT_FALSE(context_.load_with_ui("keystay:ec", method.get(), nullptr)) << "the private key is asked for";
  EXPECT_GT(questions, 0);
  static_cast<void>(take_errors());
}

TEST_F(PromptTest, NobodyToAskIsAnErrorThatSaysWhatToDo) {
  EXPECT_FALSE(context_.load("keystay:ec"));
  EXPECT_THAT(take_errors(), testing::HasSubstr("file:"));
  EXPECT_EQ(faults().calls(F::C_Login), 0u);
}

TEST_F(PromptTest, AWrongAnswerIsTriedOnceAndANewOneIsAskedFor) {
  answer = "987654";
  const EvpPkey key = context_.read_pem(bare_reference("ec"), answer_callback);
  EXPECT_FALSE(key);
  EXPECT_EQ(faults().calls(F::C_Login), 1u);
  EXPECT_THAT(take_errors(), testing::Not(testing::HasSubstr("987654")));
  answer = token().pin();
  std::this_thread::sleep_for(
      std::chrono::milliseconds(1100));  // the pause after a failed start of the token
  EXPECT_TRUE(context_.read_pem(bare_reference("ec"), answer_callback)) << take_errors();
}

// Pitfall 19: Apache runs a program, thus forks, to answer.
TEST_F(PromptTest, NoLockIsHeldWhileSomebodyTypes) {
  const auto fork_and_load = [](char* buffer, int size, int writing, void* argument) {
    const pid_t child = fork();
    if (child == 0) {
      // In the child, and in another thread, everything works while the question is open.
      const auto& context = *static_cast<LibraryContext*>(argument);
      _exit(context.read_pem(reference("ec"), answer_callback) ? 0 : 1);
    }
    int status = 0;
    waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
    std::thread([&] {
      EXPECT_TRUE(static_cast<LibraryContext*>(argument)->read_pem(reference("ec"), answer_callback));
    }).join();
    return answer_callback(buffer, size, writing, nullptr);
  };
  const EvpPkey key = context_.read_pem(reference("ec"), fork_and_load, &context_);
  ASSERT_TRUE(key) << take_errors();
  EXPECT_TRUE(sign_with(key)) << take_errors();
}

}  // namespace
}  // namespace keystay::test
