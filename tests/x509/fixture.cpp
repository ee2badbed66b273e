#include "tests/x509/fixture.h"

#include "native/keys/token_source.h"
#include "native/pkcs11/module.h"

namespace keystay::x509 {

EvpPkey software_key(const std::string& kind) {
  const std::size_t colon = kind.find(':');
  const std::string type = kind.substr(0, colon);
  const std::string detail = colon == std::string::npos ? "" : kind.substr(colon + 1);
  EVP_PKEY* key = nullptr;
  if (type == "RSA") {
    key = EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA",
                            detail.empty() ? std::size_t{2048} : std::size_t{std::stoul(detail)});
  } else if (type == "EC") {
    key = EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", detail.c_str());
  } else {
    const EvpPkeyContext generator(EVP_PKEY_CTX_new_from_name(nullptr, type.c_str(), nullptr));
    if (EVP_PKEY_keygen_init(generator.get()) == 1) EVP_PKEY_generate(generator.get(), &key);
  }
  if (key == nullptr) throw std::runtime_error("no key of kind " + kind);
  return EvpPkey(key);
}

keys::PrivateKey TokenKeyTest::key(const std::string& algorithm, unsigned size, const std::string& group) {
  const auto token = std::make_shared<pkcs11::Token>(
      pkcs11::Module::at(softhsm_.module()),
      pkcs11::TokenOptions{.name = "web",
                           .identity = {.label = softhsm_.label(), .serial = softhsm_.serial()},
                           .pin = [pin = softhsm_.pin()] { return pkcs11::Pin(pin); }});
  keys::KeyStore store(std::make_shared<keys::TokenSource>(token), pkix_);
  keys::PrivateKey result =
      store.generate("key" + std::to_string(++keys_), keys::key_spec(algorithm, size, group)).key;
  ERR_clear_error();  // SoftHSM uses this libcrypto and leaves errors of its own
  return result;
}

}  // namespace keystay::x509
