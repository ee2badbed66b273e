#include "tests/keys/key_store_test.h"

#include <algorithm>
#include <array>

#include "native/x509/certificate_bundle.h"
#include "native/x509/certificate_request.h"
#include "native/x509/distinguished_name.h"
#include "native/x509/pem.h"
#include "tests/support/signature_check.h"

namespace keystay::keys {

std::optional<Error> error_of(const std::function<void()>& body) {
  try {
    body();
    return std::nullopt;
  } catch (const Error& error) {
    return error;
  }
}

Bytes bytes(std::string_view text) { return {text.begin(), text.end()}; }

std::vector<std::string> inventory(const test::SoftHsmToken& token) {
  std::vector<std::string> lines;
  for (const test::WitnessedObject& object : test::libp11_objects(token)) {
    lines.push_back(object.kind + " " + object.id + " " + object.label);
  }
  std::sort(lines.begin(), lines.end());
  return lines;
}

KeyStoreTest::KeyStoreTest()
    : module_(std::make_shared<pkcs11::Module>(hsm_.module())),
      token_(another_token()),
      store_(std::make_shared<TokenSource>(token_), pkix_) {}

std::shared_ptr<pkcs11::Token> KeyStoreTest::another_token() const {
  return std::make_shared<pkcs11::Token>(
      module_, pkcs11::TokenOptions{.name = "web",
                                    .identity = {.label = hsm_.label(), .serial = {}},
                                    .pin = [pin = hsm_.pin()] { return pkcs11::Pin(pin); },
                                    .timeout = std::chrono::seconds(60)});
}

bool KeyStoreTest::signs(const Entry& entry) {
  constexpr std::array<std::uint8_t, 32> kDigest{0x42};
  Bytes signature(entry.key.signature_size());
  signature.resize(entry.key.sign(pkcs11::Ecdsa{}, kDigest, signature));
  return test::verifies_ecdsa(test::read_public_key(hsm_, entry.key.reference().label()).get(), kDigest,
                              signature);
}

Chain KeyStoreTest::reply(const Entry& entry, const LeafOptions& options) const {
  const Bytes request = x509::certificate_request(
      entry.key,
      {.subject = x509::parse_name("CN=" + entry.alias), .extensions = {}, .signature_algorithm = {}});
  return x509::read_certificates(ca_.sign_with_chain(x509::to_pem(x509::kRequestLabel, request), options));
}

Chain KeyStoreTest::with_root(Chain chain) const {
  chain.push_back(x509::read_certificates(ca_.root_pem()).front());
  return chain;
}

}  // namespace keystay::keys
