// What the tests of a token on another machine start from: the machine, with one EC key, and nothing
// connected.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "native/config/configuration.h"
#include "native/keys/key_store.h"
#include "native/keys/tokens.h"
#include "native/pkcs11/error.h"
#include "native/x509/openssl_pkix.h"
#include "tests/remote/remote_hsm.h"
#include "tests/support/signature_check.h"

namespace keystay::keys {

using pkcs11::Bytes;
using pkcs11::Error;
using pkcs11::ErrorClass;
using test::eventually;
using test::Function;

class RemoteTest : public testing::Test {
 protected:
  // Any 32 bytes will do as a SHA-256 digest.
  static constexpr std::array<std::uint8_t, 32> kDigest{0x4b, 0x65, 0x79, 0x73, 0x74, 0x61, 0x79};

  RemoteTest();

  // The source as a process has it that reads this configuration.
  [[nodiscard]] static std::shared_ptr<KeySource> open(const std::string& toml);
  [[nodiscard]] std::shared_ptr<KeySource> open_with(const std::string& more) const {
    return open(hsm_.configuration(more));
  }

  [[nodiscard]] PrivateKey key(const std::shared_ptr<KeySource>& source, const std::string& alias = "httpd");
  // ECDSA over kDigest with "httpd", verified with the public key that libp11 reads.
  [[nodiscard]] bool signs(const PrivateKey& key) const;
  // The message of the error that it ends with; empty if it ends well.
  [[nodiscard]] static std::string failure(const std::function<void()>& body);
  [[nodiscard]] static std::string failure(const std::shared_ptr<KeySource>& source) {
    return failure([&] { source->recover(); });
  }

  test::RemoteHsm hsm_;
  x509::OpenSslPkix pkix_;
  test::Openssl<EVP_PKEY> public_key_;
};

}  // namespace keystay::keys
