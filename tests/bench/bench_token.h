// A SoftHSM token with the keys of all measured algorithms, alone and as the only member of a group.
#pragma once

#include <memory>

#include "native/keys/private_key.h"
#include "native/keys/tokens.h"
#include "tests/bench/algorithm.h"
#include "tests/support/softhsm_token.h"

namespace keystay::bench {

// [group.NAME] of keystay.toml, whose only member is the token.
inline constexpr std::string_view kGroupOfOne = "one";

// A token for calls that go around Keystay: the functions of its module, initialised, and its slot.
struct RawToken {
  CK_FUNCTION_LIST& functions;
  CK_SLOT_ID slot;
};
[[nodiscard]] RawToken raw_token(const test::SoftHsmToken& token);

// Makes the keys, and sets KEYSTAY_CONF for this process, which is logged in from then on. One at a time.
class BenchToken final {
 public:
  explicit BenchToken(test::Front front);
  BenchToken(const BenchToken&) = delete;
  BenchToken& operator=(const BenchToken&) = delete;
  ~BenchToken();

  [[nodiscard]] RawToken raw() const { return raw_token(softhsm_); }
  [[nodiscard]] keys::PrivateKey key(const Algorithm& algorithm) const;
  // The same key, of the group.
  [[nodiscard]] keys::PrivateKey key_of_group(const Algorithm& algorithm) const;
  [[nodiscard]] keys::KeySource& source() const noexcept { return *source_; }

  [[nodiscard]] const test::SoftHsmToken& softhsm() const noexcept { return softhsm_; }
  [[nodiscard]] test::FaultControl& faults() { return softhsm_.faults(); }

 private:
  test::SoftHsmToken softhsm_;
  std::unique_ptr<keys::Tokens> tokens_;
  std::shared_ptr<keys::KeySource> source_;
};

}  // namespace keystay::bench
