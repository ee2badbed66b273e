// A SoftHSM token with the keys of all measured algorithms.
#pragma once

#include <memory>

#include "native/keys/private_key.h"
#include "native/keys/tokens.h"
#include "tests/bench/algorithm.h"
#include "tests/support/softhsm_token.h"

namespace keystay::bench {

// Makes the keys, and sets KEYSTAY_CONF for this process, which is logged in from then on. One at a time.
class BenchToken final {
 public:
  explicit BenchToken(test::Front front);
  BenchToken(const BenchToken&) = delete;
  BenchToken& operator=(const BenchToken&) = delete;
  ~BenchToken();

  // The module's functions, initialised, for calls that go around Keystay.
  [[nodiscard]] CK_FUNCTION_LIST& functions() const;
  [[nodiscard]] CK_SLOT_ID slot() const;
  [[nodiscard]] keys::PrivateKey key(const Algorithm& algorithm) const;
  [[nodiscard]] keys::KeySource& source() const noexcept { return *source_; }

  [[nodiscard]] const test::SoftHsmToken& softhsm() const noexcept { return softhsm_; }
  [[nodiscard]] test::FaultControl& faults() { return softhsm_.faults(); }

 private:
  test::SoftHsmToken softhsm_;
  std::unique_ptr<keys::Tokens> tokens_;
  std::shared_ptr<keys::KeySource> source_;
};

}  // namespace keystay::bench
