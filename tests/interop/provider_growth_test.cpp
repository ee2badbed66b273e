// A process that signs, loads keys and forks for a long time holds as much in the end as in the beginning.
#include <cstdlib>
#include <iostream>
#include <string>

#include <openssl/evp.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/provider/process_footprint.h"
#include "tests/provider/provider_test.h"
#include "tests/provider/signing.h"

namespace keystay::test {
namespace {

// What the allocator may keep of what was freed. A leak of 8 bytes in each of a million signatures is twice
// that.
constexpr std::size_t kKept = 4096;  // KiB

// KEYSTAY_SOAK=1 runs the full length.
std::size_t rounds(std::size_t soaking, std::size_t usually) {
  return std::getenv("KEYSTAY_SOAK") ? soaking : usually;
}

class ProviderGrowthTest : public ProviderTest {
 protected:
  // Runs `body` so many times, after a tenth of it that fills caches and arenas.
  template <typename Body>
  void expect_no_growth(std::size_t times, const Body& body) {
    for (std::size_t i = 0; i < times / 10; ++i) ASSERT_TRUE(body()) << take_errors();
    const Footprint before = Footprint::now();
    for (std::size_t i = 0; i < times; ++i) ASSERT_TRUE(body()) << take_errors();
    const Footprint after = Footprint::now();

    std::cout << times << " times: " << before.resident_kib << " KiB before, " << after.resident_kib
              << " KiB after\n";
    if (!Footprint::memory_is_quarantined()) {
      EXPECT_LE(after.resident_kib, before.resident_kib + kKept);
    }
    EXPECT_EQ(after.descriptors, before.descriptors);
    EXPECT_EQ(after.threads, before.threads);
  }

  [[nodiscard]] bool signs(const EvpPkey& key) const {
    return sign(context_, key.get(), "SHA256", message_).has_value();
  }

  LibraryContext context_;
  pkcs11::Bytes message_ = bytes_of("signed again and again");
};

TEST_F(ProviderGrowthTest, OfSignatures) {
  const EvpPkey key = context_.load("keystay:ec");
  ASSERT_TRUE(key) << take_errors();
  expect_no_growth(rounds(1'000'000, 10'000), [&] { return signs(key); });
}

TEST_F(ProviderGrowthTest, OfKeysThatAreLoaded) {
  const std::string pem = reference("ec");
  expect_no_growth(rounds(10'000, 300), [&] {
    const EvpPkey by_uri = context_.load("keystay:ec");
    const EvpPkey by_reference = context_.read_pem(pem);
    return by_uri && by_reference && signs(by_uri) && signs(by_reference);
  });
}

// A master that signs itself, and so has sessions and handles that no worker may use.
TEST_F(ProviderGrowthTest, OfForks) {
#ifdef __SANITIZE_THREAD__
  GTEST_SKIP() << "ThreadSanitizer's own memory grows with each fork";
#endif
  const EvpPkey key = context_.load("keystay:ec");
  ASSERT_TRUE(key) << take_errors();
  expect_no_growth(rounds(1'000, 20), [&] {
    const pid_t worker = fork();
    if (worker == 0) {
      const bool good = signs(key) && signs(key);
      if (!good) std::fprintf(stderr, "%s", take_errors().c_str());
      _exit(good ? 0 : 1);
    }
    int status = 0;
    return waitpid(worker, &status, 0) == worker && status == 0 && signs(key);
  });
}

}  // namespace
}  // namespace keystay::test
