// The keys of session tickets: how a key gives them, when they come and go, and that nothing of them stays.
#include "tlsd/tls/ticket_keys.h"

#include <string>

#include <gtest/gtest.h>
#include <openssl/evp.h>

#include "tests/support/process_memory.h"
#include "tests/support/temporary_directory.h"
#include "tlsd/tls/certificate.h"
#include "tlsd/tls/library_context.h"

namespace keystay::test {
namespace {

using namespace std::chrono_literals;
using config::TicketSettings;
using tlsd::TicketKey;
using tlsd::TicketKeys;
using tlsd::TicketPeriod;

// P-256; the private key is the SHA-256 of "keystay ticket test key".
constexpr char kKey[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgFk6Zv3E+FaZwUp/N\n"
    "HfRzWhKqVoM5gFeevmOsS3mM2lyhRANCAATLO+hs7IlskayN67B5oVzdG5H1eo8F\n"
    "MXH7WzXcUzu7+6pgYUmXDH/JzrIhxqsFlPfGSizJFfc568tWHAsB8Ub2\n"
    "-----END PRIVATE KEY-----\n";

std::string hex(const TicketKey& key) {
  std::string text;
  for (const auto part :
       {std::span<const unsigned char>(key.name()), std::span<const unsigned char>(key.hmac()),
        std::span<const unsigned char>(key.aes())})
    for (const unsigned char byte : part) {
      text += "0123456789abcdef"[byte >> 4];
      text += "0123456789abcdef"[byte & 15];
    }
  return text;
}

class TicketKeysTest : public testing::Test {
 protected:
  std::string derived(const TicketPeriod& period) {
    TicketKey key;
    tlsd::derive_ticket_key(library_.get(), file_, period, key);
    return hex(key);
  }
  TicketSettings settings(std::chrono::milliseconds rotation, std::chrono::milliseconds lifetime) {
    TicketSettings result;
    result.source = TicketSettings::Source::alias;
    result.name = file_;
    result.rotation = rotation;
    result.lifetime = lifetime;
    return result;
  }
  tlsd::KeyHandle generated(const char* algorithm, const char* parameter) {
    return tlsd::KeyHandle(parameter != nullptr
                               ? EVP_PKEY_Q_keygen(library_.get(), nullptr, algorithm, parameter)
                               : EVP_PKEY_Q_keygen(library_.get(), nullptr, algorithm));
  }

  tlsd::LibraryContext library_;
  TemporaryDirectory directory_;
  std::string file_ = directory_.write("tickets.pem", kKey).string();
};

// Computed from the definition in docs/design/tlsd.md by other means. Instances of different releases share
// tickets only while this stays.
TEST_F(TicketKeysTest, APeriodGivesTheKeyOfTheDefinition) {
  EXPECT_EQ(derived({41234, 12h}),
            "e39ce92f7053c435c5cbc160a017dba6136d4496518a726831d5aa49376e9cbbe730ee03d6ae62d5e872273a3eb993bd"
            "e01b13e4753e0c1a9f008dd5a60f2a98b90af4be4e969cbf1318f6bc12fe1f38");
  EXPECT_NE(derived({41234, 12h}), derived({41235, 12h}));
  EXPECT_NE(derived({41234, 12h}), derived({41234, 6h}));
}

// Half of the hashes are no coordinates, and so all tries are seen among these.
TEST_F(TicketKeysTest, EachPeriodHasAPointOfTheCurveOfItsOwn) {
  for (const auto& [algorithm, parameter] :
       {std::pair("EC", "P-256"), std::pair("EC", "P-384"), std::pair("EC", "P-521"),
        std::pair("EC", "brainpoolP256r1"), std::pair<const char*, const char*>("X25519", nullptr)}) {
    const tlsd::KeyHandle key = generated(algorithm, parameter);
    ASSERT_TRUE(key) << parameter;
    tlsd::KeyHandle before;
    for (std::int64_t number = -2; number < 30; ++number) {
      tlsd::KeyHandle point = tlsd::hashed_public_key(library_.get(), key.get(), {number, 12h});
      const std::unique_ptr<EVP_PKEY_CTX, tlsd::FreedBy<EVP_PKEY_CTX_free>> check(
          EVP_PKEY_CTX_new_from_pkey(library_.get(), point.get(), nullptr));
      EXPECT_EQ(EVP_PKEY_public_check(check.get()), 1) << algorithm << " " << number;
      const tlsd::KeyHandle again = tlsd::hashed_public_key(library_.get(), key.get(), {number, 12h});
      EXPECT_EQ(EVP_PKEY_eq(point.get(), again.get()), 1);
      if (before) {
        EXPECT_NE(EVP_PKEY_eq(point.get(), before.get()), 1);
      }
      before = std::move(point);
    }
  }
}

TEST_F(TicketKeysTest, KeysOfThePeriodOfTheNextAndOfLivingTicketsAreThere) {
  TicketKeys keys(library_.get(), settings(1h, 90min));
  const TicketKeys::Time begin{std::chrono::hours(500000)};
  EXPECT_TRUE(keys.needs_refresh(begin));
  // Those that end 90 minutes before or later: three; and two.
  EXPECT_EQ(keys.refresh(begin + 10min), 4U);
  EXPECT_FALSE(keys.needs_refresh(begin + 59min));
  EXPECT_TRUE(keys.needs_refresh(begin + 1h));
  EXPECT_EQ(keys.refresh(begin + 1h), 1U);
  EXPECT_EQ(keys.size(), 5U);
  keys.expire(begin + 1h);
  EXPECT_EQ(keys.size(), 4U) << "tickets of two periods ago have expired half an hour ago";
  // A token that is away: what is there is kept for as long as it opens.
  keys.expire(begin + 3h + 29min);
  EXPECT_EQ(keys.size(), 2U);
  keys.expire(begin + 3h + 30min);
  EXPECT_EQ(keys.size(), 1U);
  keys.expire(begin + 4h + 30min);
  EXPECT_TRUE(keys.empty());
}

TEST_F(TicketKeysTest, AFailureLeavesTheKeysThatAreThere) {
  TicketKeys keys(library_.get(), settings(1h, 1h));
  const TicketKeys::Time begin{std::chrono::hours(500000)};
  EXPECT_EQ(keys.refresh(begin), 3U);
  std::filesystem::remove(file_);
  EXPECT_THROW(static_cast<void>(keys.refresh(begin + 1h)), std::runtime_error);
  EXPECT_EQ(keys.size(), 3U);
}

// Searched backwards, so that the question is no answer.
TEST_F(TicketKeysTest, AKeyThatHasExpiredIsNowhereInMemory) {
  if (const std::string why = why_memory_is_not_searched(); !why.empty()) GTEST_SKIP() << why;
  TicketKeys keys(library_.get(), settings(1h, 1h));
  const TicketKeys::Time begin{std::chrono::hours(500000)};
  static_cast<void>(keys.refresh(begin));
  std::string backwards;
  {
    TicketKey key;
    tlsd::derive_ticket_key(library_.get(), file_, {500000, 1h}, key);
    backwards.assign(key.aes().rbegin(), key.aes().rend());
  }
  EXPECT_GE(times_in_memory(backwards), 1U);
  keys.expire(begin + 3h);
  EXPECT_EQ(times_in_memory(backwards), 0U);
}

}  // namespace
}  // namespace keystay::test
