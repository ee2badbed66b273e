// OSSL_OP_RAND: random bytes of the token, only for those who ask for them by openssl.cnf or by name.
#include <atomic>
#include <chrono>
#include <fstream>
#include <thread>
#include <vector>

#include <openssl/async.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/provider/openssl_program.h"
#include "tests/provider/signing.h"

namespace keystay::test {
namespace {

using F = Function;
using testing::HasSubstr;
using testing::MatchesRegex;
using RandomContext = Owned<EVP_RAND_CTX, EVP_RAND_CTX_free>;
using RandomAlgorithm = Owned<EVP_RAND, EVP_RAND_free>;

constexpr char kName[] = "KEYSTAY-RAND";
constexpr std::size_t kDraw = 32;

// The pause after a failed start of the token.
constexpr std::chrono::milliseconds kPause{1100};

class RandomTest : public ProviderTest {
 protected:
  // As openssl.cnf says it: in its section `random`.
  static void opt_in(const LibraryContext& context) {
    ASSERT_EQ(RAND_set_DRBG_type(context.get(), kName, nullptr, nullptr, nullptr), 1);
  }

  // Empty, with the reason on the error queue, for a failure.
  static pkcs11::Bytes random_bytes(const LibraryContext& context, std::size_t size = kDraw) {
    pkcs11::Bytes bytes(size);
    if (RAND_bytes_ex(context.get(), bytes.data(), bytes.size(), 0) != 1) bytes.clear();
    return bytes;
  }

  static std::string primary_name(const LibraryContext& context) {
    EVP_RAND_CTX* const primary = RAND_get0_primary(context.get());
    return primary ? EVP_RAND_get0_name(EVP_RAND_CTX_get0_rand(primary)) : "none";
  }

  static std::uint64_t draws() { return faults().calls(F::C_GenerateRandom); }
};

TEST_F(RandomTest, GivesTheTokensBytes) {
  const LibraryContext context;
  const RandomAlgorithm algorithm(EVP_RAND_fetch(context.get(), kName, nullptr));
  ASSERT_TRUE(algorithm);
  const RandomContext random(EVP_RAND_CTX_new(algorithm.get(), nullptr));
  pkcs11::Bytes one(kDraw);
  pkcs11::Bytes other(kDraw);
  EXPECT_EQ(EVP_RAND_generate(random.get(), one.data(), one.size(), 0, 0, nullptr, 0), 0);
  EXPECT_THAT(take_errors(), HasSubstr("not instantiated"));
  ASSERT_EQ(EVP_RAND_instantiate(random.get(), 256, 0, nullptr, 0, nullptr), 1);
  EXPECT_EQ(faults().calls(), 0u);
  EXPECT_EQ(EVP_RAND_generate(random.get(), one.data(), one.size(), 256, 0, nullptr, 0), 1);
  EXPECT_EQ(EVP_RAND_generate(random.get(), other.data(), other.size(), 0, 1, nullptr, 0), 1);
  EXPECT_NE(one, other);
  EXPECT_EQ(draws(), 2u);
  EXPECT_EQ(EVP_RAND_get_state(random.get()), EVP_RAND_STATE_READY);
  EXPECT_EQ(EVP_RAND_get_strength(random.get()), 256u);
  EXPECT_EQ(EVP_RAND_reseed(random.get(), 0, nullptr, 0, one.data(), one.size()), 1);
  EXPECT_EQ(EVP_RAND_generate(random.get(), one.data(), one.size(), 512, 0, nullptr, 0), 0);
  EXPECT_THAT(take_errors(), HasSubstr("512 bits of strength"));
}

// Every random number of a process from its HSM: who has not asked for that must not get it.
TEST_F(RandomTest, NothingComesFromTheTokenUnlessAskedFor) {
  for (const Order order : {Order::keystay_first, Order::keystay_last}) {
    const LibraryContext context(order);
    EXPECT_EQ(random_bytes(context).size(), kDraw);
    EXPECT_EQ(primary_name(context), "CTR-DRBG");
    EXPECT_TRUE(context.load("keystay:ec"));
  }
  EXPECT_EQ(draws(), 0u);
}

// libcrypto's lock, then the module's: the module takes them in the other order.
TEST_F(RandomTest, SeedsNoOtherGenerator) {
  const LibraryContext context;
  ASSERT_EQ(RAND_set_seed_source_type(context.get(), kName, nullptr), 1);
  EXPECT_TRUE(random_bytes(context).empty());
  EXPECT_THAT(take_errors(), HasSubstr("write \"random = KEYSTAY-RAND\" instead of \"seed = KEYSTAY-RAND\""));
  EXPECT_EQ(faults().calls(), 0u);
}

TEST_F(RandomTest, TheTokenGivesEveryByte) {
  const LibraryContext context;
  opt_in(context);
  EXPECT_EQ(primary_name(context), kName);
  EXPECT_EQ(faults().calls(), 0u);
  EXPECT_NE(random_bytes(context), random_bytes(context));
  EXPECT_EQ(draws(), 2u);
  EXPECT_EQ(random_bytes(context, 3000).size(), 3000u);
  EXPECT_EQ(draws(), 5u);
}

TEST_F(RandomTest, WithoutTheTokenThereIsAnErrorAndNothingWeaker) {
  const LibraryContext context;
  opt_in(context);
  faults().remove_token();
  EXPECT_TRUE(random_bytes(context).empty());
  EXPECT_THAT(take_errors(), HasSubstr("random bytes of the token: "));
  faults().return_token();
  std::this_thread::sleep_for(kPause);
  EXPECT_EQ(random_bytes(context).size(), kDraw) << take_errors();

  faults().fail(F::C_GenerateRandom, CKR_RANDOM_NO_RNG, kEveryCall);
  EXPECT_TRUE(random_bytes(context).empty());
  EXPECT_THAT(take_errors(), testing::AllOf(HasSubstr("CKR_RANDOM_NO_RNG"), HasSubstr("token \"web\"")));
}

TEST_F(RandomTest, WithoutADefaultTokenThereIsAnErrorAndNothingWeaker) {
  setenv("KEYSTAY_CONF", token().directory().write("empty.toml", "").c_str(), 1);
  const LibraryContext context;
  opt_in(context);
  EXPECT_TRUE(random_bytes(context).empty());
  EXPECT_THAT(take_errors(), HasSubstr("no token is configured in"));
}

TEST_F(RandomTest, ThreadsAndContextsDrawTogether) {
  const LibraryContext one;
  const LibraryContext other;
  opt_in(one);
  opt_in(other);
  std::vector<std::thread> threads;
  std::atomic<int> good{0};
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int draw = 0; draw < 50; ++draw)
        good += !random_bytes(one).empty() && !random_bytes(other).empty() ? 1 : 0;
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(good.load(), 200) << take_errors();
}

TEST_F(RandomTest, AForkedChildDrawsItsOwn) {
  const LibraryContext context;
  opt_in(context);
  ASSERT_FALSE(random_bytes(context).empty()) << take_errors();
  const auto before = draws();
  const pid_t child = fork();
  if (child == 0) _exit(random_bytes(context).empty() ? 1 : 0);
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  EXPECT_GT(draws(), before);
  EXPECT_FALSE(random_bytes(context).empty()) << take_errors();
}

// A module never runs on the stack of a job.
TEST_F(RandomTest, AJobDrawsWithoutAPause) {
  const LibraryContext context;
  opt_in(context);
  ASYNC_JOB* job = nullptr;
  const Owned<ASYNC_WAIT_CTX, ASYNC_WAIT_CTX_free> wait(ASYNC_WAIT_CTX_new());
  int result = 0;
  const LibraryContext* argument = &context;
  const auto draw = [](void* of) {
    return random_bytes(**static_cast<const LibraryContext**>(of)).empty() ? 0 : 1;
  };
  EXPECT_EQ(ASYNC_start_job(&job, wait.get(), &result, draw, &argument, sizeof argument), ASYNC_FINISH);
  EXPECT_EQ(result, 1) << take_errors();
  EXPECT_EQ(draws(), 1u);
  ASYNC_cleanup_thread();
}

// SoftHSM takes its own random numbers from the default library context of the process: the one that is to
// take them from SoftHSM here.
class RandomProgramTest : public OpensslProgramTest {
 protected:
  RandomProgramTest() : OpensslProgramTest(std::vector<std::string>{"ec"}) {}

  static Outcome openssl(Arguments arguments) {
    const std::string cnf =
        file("random.cnf",
             "openssl_conf = openssl_init\n[openssl_init]\nproviders = providers\nrandom = random\n"
             "[providers]\ndefault = default_provider\nkeystay = keystay_provider\n"
             "[default_provider]\nactivate = 1\n[keystay_provider]\nmodule = " +
                 provider_path() + "/keystay.so\nactivate = 1\n[random]\nrandom = KEYSTAY-RAND\n");
    Environment environment = program_environment();
    environment["OPENSSL_CONF"] = cnf;
    arguments.insert(arguments.begin(), "openssl");
    return run(arguments, {.environment = environment});
  }
};

TEST_F(RandomProgramTest, DrawsFromAModuleThatDrawsFromIt) {
  const Outcome outcome = openssl({"rand", "-hex", "32"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome;
  EXPECT_THAT(outcome.output, MatchesRegex("[0-9a-f]{64}\n"));
  EXPECT_EQ(faults().calls(F::C_GenerateRandom), 1u);
}

TEST_F(RandomProgramTest, SignsAndMakesKeys) {
  const std::string signature = path("signature");
  const Outcome signing = openssl({"dgst", "-sha256", "-sign", "keystay:ec", "-out", signature, message_});
  EXPECT_EQ(signing.exit_code, 0) << signing;
  EXPECT_TRUE(file_verifies("ec", signature));
  faults().reset_calls();
  const Outcome generation = openssl({"genpkey", "-algorithm", "RSA", "-out", path("new.pem")});
  EXPECT_EQ(generation.exit_code, 0) << generation;
  EXPECT_GE(faults().calls(F::C_GenerateRandom), 1u);
}

// The serial number is the first that the program wants.
TEST_F(RandomProgramTest, DrawsFromTheTokenAfterItsModuleHasStarted) {
  const Outcome outcome = openssl(
      {"req", "-x509", "-new", "-key", "keystay:ec", "-subj", "/CN=random", "-out", path("random.pem")});
  EXPECT_EQ(outcome.exit_code, 0) << outcome;
  EXPECT_GE(faults().calls(F::C_GenerateRandom), 1u);
}

TEST_F(RandomProgramTest, FailsWithoutTheToken) {
  faults().remove_token();
  const Outcome outcome = openssl({"rand", "-hex", "32"});
  EXPECT_EQ(outcome.exit_code, 1) << outcome;
  EXPECT_EQ(outcome.output, "");
  EXPECT_THAT(outcome.error, HasSubstr("random bytes of the token: "));
}

}  // namespace
}  // namespace keystay::test
