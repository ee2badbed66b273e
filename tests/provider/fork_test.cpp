// Processes: lazily started modules, forked workers (pitfalls 17 to 26).
#include <atomic>
#include <csignal>
#include <thread>
#include <vector>

#include <openssl/err.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/provider/process_footprint.h"
#include "tests/provider/provider_test.h"
#include "tests/provider/signing.h"

namespace keystay::test {
namespace {

using F = Function;

class ForkTest : public ProviderTest {
 protected:
  [[nodiscard]] bool signs(const EvpPkey& key) const {
    const auto message = bytes_of("forked");
    const auto signature = sign(context_, key.get(), "SHA256", message);
    return signature && verifies(public_key_.get(), "SHA256", message, *signature);
  }

  // Runs `body` in a child, and returns the child's status: 0 if it returned true there.
  template <typename Body>
  [[nodiscard]] static int status_of_child(Body&& body) {
    const pid_t child = fork();
    if (child == 0) {
      const bool good = body();
      if (!good) std::fprintf(stderr, "%s", take_errors().c_str());
      _exit(good ? 0 : 1);
    }
    int status = 0;
    waitpid(child, &status, 0);
    return status;
  }
  template <typename Body>
  [[nodiscard]] static bool in_child(Body&& body) {
    return status_of_child(body) == 0;
  }

  LibraryContext context_;
  EvpPkey public_key_ = public_key("ec");
};

// A master loads the reference; the module starts in its workers.
TEST_F(ForkTest, TheModuleStartsInTheWorkers) {
  const EvpPkey key = context_.read_pem(reference("ec"));
  ASSERT_TRUE(key) << take_errors();
  EXPECT_EQ(faults().calls(), 0u);
  for (int worker = 0; worker < 3; ++worker) EXPECT_TRUE(in_child([&] { return signs(key) && signs(key); }));
  EXPECT_TRUE(signs(key)) << take_errors();
}

TEST_F(ForkTest, WorkersOfAMasterThatHasSignedSignToo) {
  const EvpPkey key = context_.load("keystay:ec");
  ASSERT_TRUE(signs(key)) << take_errors();
  for (int worker = 0; worker < 3; ++worker) EXPECT_TRUE(in_child([&] { return signs(key) && signs(key); }));
  EXPECT_TRUE(signs(key)) << take_errors();
}

// Pitfall 18.
TEST_F(ForkTest, APinOfTheUriIsKnownInTheWorkers) {
  pkcs11::Uri uri = uri_of("ec");
  uri.token.clear();  // the serial alone: not the token of keystay.toml, which has a PIN of its own
  const EvpPkey key = context_.load(pkcs11::format_uri(uri) + "?module-path=" + token().module().string() +
                                    "&pin-value=" + token().pin());
  ASSERT_TRUE(key) << take_errors();
  for (int worker = 0; worker < 2; ++worker) EXPECT_TRUE(in_child([&] { return signs(key); }));
  EXPECT_TRUE(signs(key)) << take_errors();
}

TEST_F(ForkTest, ModulesThatForgetTheirStateInTheChildAreStartedAgain) {
  faults().require_initialize_after_fork();
  const EvpPkey key = context_.load("keystay:ec");
  ASSERT_TRUE(signs(key)) << take_errors();
  EXPECT_TRUE(in_child([&] { return signs(key) && in_child([&] { return signs(key); }); }));
  EXPECT_TRUE(signs(key)) << take_errors();
}

// Pitfall 23: CKF_OS_LOCKING_OK, whichever process asks.
TEST_F(ForkTest, AChildInitialisesWithTheSameArguments) {
  faults().require_initialize_after_fork();
  faults().forget_initialize();
  const EvpPkey key = context_.load("keystay:ec");
  ASSERT_TRUE(signs(key)) << take_errors();
  const auto flags = faults().initialize_flags();
  EXPECT_TRUE(in_child([&] { return signs(key); }));
  EXPECT_EQ(faults().initialize_flags(), flags);
  EXPECT_EQ(flags & CKF_OS_LOCKING_OK, CKF_OS_LOCKING_OK);
}

// Pitfall 26: nothing of the parent's is finalised or logged out.
TEST_F(ForkTest, AChildThatEndsTakesNothingFromItsParent) {
  const EvpPkey key = context_.load("keystay:ec");
  ASSERT_TRUE(signs(key)) << take_errors();
  EXPECT_TRUE(in_child([&] { return signs(key); }));
  faults().reset_calls();
  EXPECT_TRUE(signs(key)) << take_errors();
  EXPECT_EQ(faults().calls(), 2u);
  EXPECT_EQ(faults().calls(F::C_Finalize) + faults().calls(F::C_Logout), 0u);
}

// Pitfall 21: fork at any moment of other threads' work in the provider. (In the middle of a module's work a
// fork is the module's affair: SoftHSM's own locks stay locked in the child.) libcrypto has locks of the
// whole process too, for engines and for each BIO, which SoftHSM wants when it starts; they are held for
// moments, and few workers meet one. A lock of ours that is held while a context sets itself up would stop
// most of them.
TEST_F(ForkTest, ForksWhileThreadsLoad) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "the sanitizer's own locks do not bear it";
#endif
  const EvpPkey key = context_.read_pem(reference("ec"));
  const std::string pem = reference("rsa");
  std::atomic<bool> stop{false};
  std::vector<std::thread> threads;
  for (int i = 0; i < 2; ++i) {
    threads.emplace_back([&] {
      while (!stop) {
        const LibraryContext fresh;
        EXPECT_TRUE(fresh.read_pem(pem));
      }
    });
  }
  constexpr int kWorkers = 50;
  int stopped = 0;
  for (int worker = 0; worker < kWorkers && stopped <= kWorkers / 10; ++worker) {
    const int status = status_of_child([&] {
      alarm(20);
      return signs(key) && context_.read_pem(pem) != nullptr;
    });
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM) {
      ++stopped;
    } else {
      EXPECT_EQ(status, 0) << worker;
    }
  }
  EXPECT_LE(stopped, kWorkers / 10);
  stop = true;
  for (auto& thread : threads) thread.join();
}

// As servers do at their end: everything is freed in the child too.
TEST_F(ForkTest, AChildUnloadsTheProviderCleanly) {
  auto context = std::make_unique<LibraryContext>();
  EvpPkey key = context->load("keystay:ec");
  ASSERT_TRUE(sign(*context, key.get(), "SHA256", bytes_of("parent"))) << take_errors();
  EXPECT_TRUE(in_child([&] {
    const bool good = signs(key);
    key.reset();
    context.reset();
    return good;
  }));
  EXPECT_TRUE(sign(*context, key.get(), "SHA256", bytes_of("parent"))) << take_errors();
}

}  // namespace
}  // namespace keystay::test
