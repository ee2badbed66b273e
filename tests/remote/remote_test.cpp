#include "tests/remote/remote_test.h"

namespace keystay::keys {

RemoteTest::RemoteTest() {
  hsm_.token().pkcs11_tool({"--keypairgen", "--key-type", "EC:prime256v1", "--label", "httpd", "--id", "01"});
  public_key_ = test::read_public_key(hsm_.token(), "httpd");
}

std::shared_ptr<KeySource> RemoteTest::open(const std::string& toml) {
  return Tokens(config::parse_configuration(toml, "keystay.toml"), {}).source(std::string_view());
}

PrivateKey RemoteTest::key(const std::shared_ptr<KeySource>& source, const std::string& alias) {
  const std::optional<Entry> found = KeyStore(source, pkix_).find(alias);
  if (!found) throw std::runtime_error("no alias " + alias);
  return found->key;
}

bool RemoteTest::signs(const PrivateKey& key) const {
  Bytes signature(key.signature_size());
  signature.resize(key.sign(pkcs11::Ecdsa{}, kDigest, signature));
  return test::verifies_ecdsa(public_key_.get(), kDigest, signature);
}

std::string RemoteTest::failure(const std::function<void()>& body) {
  try {
    body();
    return {};
  } catch (const std::exception& error) {
    return error.what();
  }
}

}  // namespace keystay::keys
