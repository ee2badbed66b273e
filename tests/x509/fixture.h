// What the tests of this room share: keys in software, keys on a token, and a queue without leftovers.
#pragma once

#include <string>

#include <gtest/gtest.h>
#include <openssl/err.h>

#include "native/keys/key_store.h"
#include "native/x509/openssl_pkix.h"
#include "native/x509/openssl_types.h"
#include "tests/support/softhsm_token.h"

namespace keystay::x509 {

// An error that stays on libcrypto's queue after success makes a later SSL_get_error() lie.
class CleanQueueTest : public testing::Test {
 protected:
  void SetUp() override { ERR_clear_error(); }
  void TearDown() override { EXPECT_EQ(ERR_peek_error(), 0UL) << ERR_reason_error_string(ERR_peek_error()); }
};

// "RSA", "RSA:2048"; "EC:P-521"; "ED25519".
[[nodiscard]] EvpPkey software_key(const std::string& kind);

// A key on a real token, for what signs.
class TokenKeyTest : public CleanQueueTest {
 protected:
  [[nodiscard]] keys::PrivateKey key(const std::string& algorithm, unsigned size = 0,
                                     const std::string& group = "");

  OpenSslPkix pkix_;
  test::SoftHsmToken softhsm_;

 private:
  int keys_ = 0;
};

}  // namespace keystay::x509
