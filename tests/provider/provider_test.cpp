#include "tests/provider/provider_test.h"

#include <cstdlib>

#include <openssl/err.h>

#include "native/x509/pem_reference.h"
#include "native/x509/public_key.h"
#include "tests/support/signature_check.h"

namespace keystay::test {

std::unique_ptr<SoftHsmToken> ProviderTest::token_;

void ProviderTest::SetUpTestSuite() {
  token_ = std::make_unique<SoftHsmToken>("web", SoftHsmOptions{.front = Front::fault_module});
  token_->pkcs11_tool({"--keypairgen", "--key-type", "rsa:2048", "--label", "rsa", "--id", "01"});
  token_->pkcs11_tool({"--keypairgen", "--key-type", "EC:prime256v1", "--label", "ec", "--id", "02"});
}

void ProviderTest::TearDownTestSuite() { token_.reset(); }

ProviderTest::ProviderTest() {
  faults().reset();
  configure();
  ERR_clear_error();
}

void ProviderTest::TearDown() {
  EXPECT_EQ(take_errors(), "");
  EXPECT_EQ(faults().calls_on_fibres(), 0u) << "a module never runs on the stack of a job";
  faults().reset();
}

// What a busy machine makes slow is no token that hangs, and what a test counts has no look at the key in
// between, unless the test says otherwise.
void ProviderTest::configure(std::string_view more) {
  std::string lines = "key-check = \"1h\"\n";
  if (more.find("timeout") == std::string_view::npos) lines += "timeout = \"10m\"\n";
  setenv("KEYSTAY_CONF", token().write_configuration(lines.append(more)).c_str(), 1);
}

pkcs11::Uri ProviderTest::uri_of(const std::string& label) {
  pkcs11::Uri uri;
  uri.token = token().label();
  uri.serial = token().serial();
  uri.object = label;
  uri.type = CKO_PRIVATE_KEY;
  return uri;
}

EvpPkey ProviderTest::public_key(const std::string& label) {
  return EvpPkey(read_public_key(token(), label).release());
}

std::string ProviderTest::reference(const std::string& label) {
  pkcs11::Uri uri = uri_of(label);
  uri.spki = x509::encode_spki_attribute(x509::from_evp_pkey(public_key(label).get()));
  return x509::encode_pem_reference(uri);
}

std::string ProviderTest::bare_reference(const std::string& label) {
  return x509::encode_pem_reference(uri_of(label));
}

pkcs11::Bytes bytes_of(std::string_view text) { return {text.begin(), text.end()}; }

}  // namespace keystay::test
