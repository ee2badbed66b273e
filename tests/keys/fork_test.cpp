// A process may fork at any moment of its other threads: what they share is whole in the child, and not
// locked.
#include <atomic>
#include <thread>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>

#include "native/keys/tokens.h"
#include "tests/keys/key_store_test.h"

namespace keystay::keys {
namespace {

class ForkTest : public testing::Test {
 protected:
  // A token that the configuration does not have; another one for each number.
  [[nodiscard]] std::string uri(int number) const {
    return "pkcs11:serial=" + std::to_string(number) + ";object=httpd?module-path=" + hsm_.module().string();
  }

  test::SoftHsmToken hsm_{"web"};
};

// With so many tokens, looking one up takes longer than asking for it: nearly every fork meets the lock.
TEST_F(ForkTest, WhileOtherThreadsLookTokensUp) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "the sanitizer's own locks do not bear it";
#endif
  constexpr int kTokens = 2000;
  constexpr int kChildren = 50;
  Tokens tokens({}, nullptr);
  for (int i = 0; i < kTokens; ++i) ASSERT_EQ(tokens.locate(uri(i)).label, "httpd");

  std::atomic<bool> stop{false};
  std::vector<std::jthread> threads;
  for (int i = 0; i < 2; ++i) {
    threads.emplace_back([&, i] {
      while (!stop) EXPECT_TRUE(tokens.locate(uri(kTokens - 1 - i)).source);
    });
  }
  int hung = 0;
  for (int i = 0; i < kChildren && hung == 0; ++i) {
    const pid_t child = ::fork();
    if (child == 0) {
      ::alarm(20);  // ends a child that hangs
      ::_exit(tokens.locate(uri(0)).source && tokens.locate(uri(kTokens + i)).source ? 0 : 1);
    }
    int status = -1;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_FALSE(WIFEXITED(status) && WEXITSTATUS(status) != 0);
    hung += WIFSIGNALED(status) ? 1 : 0;
  }
  stop = true;
  EXPECT_EQ(hung, 0);
}

}  // namespace
}  // namespace keystay::keys
