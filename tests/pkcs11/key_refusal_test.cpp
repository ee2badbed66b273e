// An operation that a key's attributes forbid ends with an error that names the attribute.
#include <openssl/evp.h>

#include "tests/pkcs11/token_test.h"

namespace keystay::pkcs11 {
namespace {

using testing::HasSubstr;
using testing::Not;

class KeyRefusal : public TokenTest {
 protected:
  // The message of the error; empty if there is none.
  static std::string message_of(const std::function<void()>& body) {
    const std::optional<Error> error = error_of(body);
    return error ? error->what() : "";
  }

  void generate(const std::string& label, const test::Arguments& more) {
    test::Arguments arguments{"--keypairgen", "--label", label, "--id", "09"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    hsm_.pkcs11_tool(arguments);
  }

  std::shared_ptr<Token> token_ = token();
};

TEST_F(KeyRefusal, NamesTheUseThatTheKeyWasNotMadeFor) {
  generate("ec", {"--key-type", "EC:prime256v1", "--usage-sign"});
  const KeyReference key = ec_reference("ec", {0x09});
  const auto peer = test::read_public_key(hsm_, "ec");
  Bytes point(65);
  ASSERT_EQ(
      EVP_PKEY_get_octet_string_param(peer.get(), "encoded-pub-key", point.data(), point.size(), nullptr), 1);
  Bytes secret(32);
  EXPECT_EQ(message_of([&] { token_->perform(key, AgreeEcdh{}, point, secret, token_->deadline()); }),
            "C_DeriveKey: CKR_KEY_FUNCTION_NOT_PERMITTED (0x68) for alias \"ec\" on token \"web\"; the key's "
            "attributes forbid this use: it was made without CKA_DERIVE; make a new key that has it");
}

TEST_F(KeyRefusal, NamesTheMechanismsThatTheKeyAllows) {
  generate("pss", {"--key-type", "rsa:2048", "--allowed-mechanisms", "RSA-PKCS-PSS,SHA256-RSA-PKCS-PSS"});
  const KeyReference key({0x09}, "pss", CKK_RSA, std::nullopt);
  Bytes signature(256);
  const auto sign_by = [&](const SignMechanism& mechanism) {
    return message_of([&] { token_->perform(key, Sign{mechanism}, kDigest, signature, token_->deadline()); });
  };
  EXPECT_EQ(
      sign_by(RsaPkcs{}),
      "C_SignInit: CKR_MECHANISM_INVALID (0x70) for alias \"pss\" on token \"web\"; CKA_ALLOWED_MECHANISMS "
      "of the key lacks CKM_RSA_PKCS and has only CKM_RSA_PKCS_PSS, CKM_SHA256_RSA_PKCS_PSS; use another "
      "scheme, or make a key that may be used so");
  EXPECT_EQ(sign_by(RsaPss{Hash::sha256, Hash::sha256, 32}), "");
}

// What the token as a whole lacks is not blamed on the key, and a good signature asks for no attribute.
TEST_F(KeyRefusal, ReadsTheAttributesOnlyAfterARefusal) {
  sign(*token_);
  faults_.reset_calls();
  sign(*token_);
  EXPECT_EQ(faults_.calls(Function::C_GetAttributeValue), 0u);
  faults_.fail(Function::C_SignInit, CKR_MECHANISM_INVALID);
  EXPECT_THAT(message_of([&] { sign(*token_); }),
              testing::AllOf(HasSubstr("the token does not offer this mechanism"), Not(HasSubstr("CKA_"))));
  EXPECT_EQ(faults_.calls(Function::C_GetAttributeValue), 1u);
}

TEST_F(KeyRefusal, IsToldAsItIsWhereTheAttributesCannotBeRead) {
  sign(*token_);
  faults_.fail(Function::C_SignInit, CKR_KEY_FUNCTION_NOT_PERMITTED);
  faults_.fail(Function::C_GetAttributeValue, CKR_DEVICE_ERROR);
  EXPECT_THAT(message_of([&] { sign(*token_); }), HasSubstr("CKR_KEY_FUNCTION_NOT_PERMITTED"));
}

}  // namespace
}  // namespace keystay::pkcs11
