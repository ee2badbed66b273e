#include "tests/pkcs11/token_test.h"

namespace keystay::pkcs11 {

std::optional<Error> error_of(const std::function<void()>& body) {
  try {
    body();
    return std::nullopt;
  } catch (const Error& error) {
    return error;
  }
}

KeyReference ec_reference(const std::string& label, Bytes id) {
  return {std::move(id), label, CKK_EC, std::nullopt};
}

TokenTest::TokenTest()
    // Not Module::at: that one lives as long as the process, and each test starts with a fresh module.
    : module_(std::make_shared<Module>(hsm_.module())), key_(ec_reference("httpd", {0x01})) {
  hsm_.pkcs11_tool(
      {"--keypairgen", "--key-type", "EC:prime256v1", "--label", "httpd", "--id", "01", "--usage-sign"});
  public_key_ = test::read_public_key(hsm_, "httpd");
}

TokenOptions TokenTest::options() const {
  return {.name = "web",
          .identity = {.label = hsm_.label(), .serial = {}},
          .pin = [pin = hsm_.pin()] { return Pin(pin); },
          .sessions = 32,
          .timeout = std::chrono::seconds(60),
          .key_copies = KeyCopies::automatic,
          .key_check = std::chrono::hours(1)};  // for tests that count calls; gone_key_test.cpp has its own
}

std::shared_ptr<Token> TokenTest::token(TokenOptions options) const {
  return std::make_shared<Token>(module_, std::move(options));
}

Bytes TokenTest::sign(Token& token, const KeyReference& key) {
  Bytes signature(64);
  signature.resize(token.perform(key, Sign{Ecdsa{}}, kDigest, signature, token.deadline()));
  return signature;
}

bool TokenTest::verifies(const Bytes& signature) const {
  return test::verifies_ecdsa(public_key_.get(), kDigest, signature);
}

}  // namespace keystay::pkcs11
