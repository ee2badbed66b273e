// What the tests of native/keys start from: an empty token, and a CA.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "native/keys/key_store.h"
#include "native/keys/token_objects.h"
#include "native/keys/token_source.h"
#include "native/pkcs11/error.h"
#include "native/pkcs11/session.h"
#include "native/x509/openssl_pkix.h"
#include "tests/support/softhsm_token.h"
#include "tests/support/test_ca.h"
#include "tests/support/witness.h"

namespace keystay::keys {

using pkcs11::Bytes;
using pkcs11::Error;
using pkcs11::ErrorClass;
using test::FaultControl;
using test::Function;
using test::LeafOptions;

[[nodiscard]] std::optional<Error> error_of(const std::function<void()>& body);

[[nodiscard]] Bytes bytes(std::string_view text);

// One line for each object that libp11 sees: kind, id, label; sorted.
[[nodiscard]] std::vector<std::string> inventory(const test::SoftHsmToken& token);

class KeyStoreTest : public testing::Test {
 protected:
  KeyStoreTest();

  Entry generate(const std::string& alias) { return store_.generate(alias, key_spec("EC", 256, "")); }
  // The token once more, as another program of this process has it: with a login and sessions of its own.
  [[nodiscard]] std::shared_ptr<pkcs11::Token> another_token() const;

  // ECDSA over any digest, verified by libcrypto with the public key that libp11 reads.
  bool signs(const Entry& entry);

  // The CA's answer to a request of this key: the leaf, and the intermediate.
  Chain reply(const Entry& entry, const LeafOptions& options = {}) const;
  Chain with_root(Chain chain) const;
  // Makes libp11 and Keystay agree: what the token holds now.
  std::vector<std::string> inventory() const { return keys::inventory(hsm_); }

  test::SoftHsmToken hsm_{"web", {.front = test::Front::fault_module}};
  FaultControl& faults_ = hsm_.faults();
  test::TestCa ca_;
  x509::OpenSslPkix pkix_;
  std::shared_ptr<pkcs11::Module> module_;
  std::shared_ptr<pkcs11::Token> token_;
  KeyStore store_;
};

}  // namespace keystay::keys
