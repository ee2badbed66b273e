#include "keystore-tools/acme/jws.h"

#include <boost/json.hpp>
#include <openssl/core_names.h>
#include <openssl/param_build.h>

#include "keystore-tools/acme/base64url.h"
#include "keystore-tools/failure.h"
#include "native/x509/openssl_types.h"
#include "native/x509/public_key.h"
#include "native/x509/raw_signature.h"
#include "tests/x509/fixture.h"

namespace keystay::tools::acme {
namespace {

using pkcs11::Bytes;
using pkcs11::ByteView;

Bytes decoded(std::string_view text) { return from_base64url(text).value(); }

ByteView bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

std::string signature_of(const std::string& jws) {
  return boost::json::value_to<std::string>(boost::json::parse(jws).at("signature"));
}

// RFC 4648, section 10, without padding; RFC 7515, appendix C.
TEST(Base64Url, IsThatOfTheStandards) {
  EXPECT_EQ(to_base64url(std::string_view("")), "");
  EXPECT_EQ(to_base64url(std::string_view("f")), "Zg");
  EXPECT_EQ(to_base64url(std::string_view("fo")), "Zm8");
  EXPECT_EQ(to_base64url(std::string_view("foo")), "Zm9v");
  EXPECT_EQ(to_base64url(std::string_view("foob")), "Zm9vYg");
  EXPECT_EQ(to_base64url(Bytes{3, 236, 255, 224, 193}), "A-z_4ME");
  EXPECT_EQ(from_base64url("A-z_4ME"), (Bytes{3, 236, 255, 224, 193}));
  EXPECT_EQ(from_base64url("Zm8="), (Bytes{'f', 'o'}));
  EXPECT_EQ(from_base64url(""), Bytes());
  for (const char* text : {"Z", "Zm9", "Zm8 ", "Zm+v", "Zm/v", "Zg=a", "====", "Zm9vY"}) {
    EXPECT_EQ(from_base64url(text), std::nullopt) << text;
  }
}

// RFC 7638, section 3.1.
TEST(Thumbprint, OfAnRsaKeyIsThatOfTheStandard) {
  const pkcs11::RsaPublicKey key{
      .modulus = decoded(
          "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECP"
          "ebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY36"
          "8QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lF"
          "d2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"),
      .public_exponent = {1, 0, 1}};
  EXPECT_EQ(thumbprint_of(jwk_of(key)), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
}

// RFC 8037, appendix A.3.
TEST(Thumbprint, OfAnEdwardsKeyIsThatOfTheStandard) {
  const pkcs11::EdwardsPublicKey key{.parameters = {0x06, 0x03, 0x2b, 0x65, 0x70},
                                     .point = decoded("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo")};
  EXPECT_EQ(jwk_of(key),
            R"({"crv":"Ed25519","kty":"OKP","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})");
  EXPECT_EQ(thumbprint_of(jwk_of(key)), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
}

constexpr char kPayload[] =
    "{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n \"http://example.com/is_root\":true}";

// RFC 7515, appendix A.1.
TEST(Jws, ByHmacIsThatOfTheStandard) {
  const Bytes key =
      decoded("AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow");
  const std::string jws = flattened_jws("{\"typ\":\"JWT\",\r\n \"alg\":\"HS256\"}", kPayload,
                                        [&](std::string_view input) { return hmac_sha256(key, input); });
  const boost::json::value parts = boost::json::parse(jws);
  EXPECT_EQ(parts.at("protected"), "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9");
  EXPECT_EQ(parts.at("payload"),
            "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ");
  EXPECT_EQ(parts.at("signature"), "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
  EXPECT_EQ(parts.as_object().size(), 3U);
}

// RFC 8037, appendices A.1 and A.4.
TEST(Jws, ByEd25519IsThatOfTheStandard) {
  const Bytes secret = decoded("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A");
  const x509::EvpPkey key(
      EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, secret.data(), secret.size()));
  const std::string jws =
      flattened_jws(R"({"alg":"EdDSA"})", "Example of Ed25519 signing", [&](std::string_view input) {
        Bytes signature(64);
        std::size_t size = signature.size();
        const x509::EvpMdContext context(EVP_MD_CTX_new());
        EXPECT_EQ(EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key.get()), 1);
        EXPECT_EQ(
            EVP_DigestSign(context.get(), signature.data(), &size, bytes_of(input).data(), input.size()), 1);
        return signature;
      });
  EXPECT_EQ(signature_of(jws),
            "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg");
}

struct Case {
  const char* name;
  const char* algorithm;
  unsigned size;
  const char* jose;
  std::size_t signature_size;
  const char* digest;
};
constexpr Case kCases[] = {{"Rsa", "RSA", 2048, "RS256", 256, "SHA256"},
                           {"P256", "EC", 256, "ES256", 64, "SHA256"},
                           {"P384", "EC", 384, "ES384", 96, "SHA384"},
                           {"P521", "EC", 521, "ES512", 132, "SHA512"},
                           {"Ed25519", "Ed25519", 0, "EdDSA", 64, ""}};
void PrintTo(const Case& value, std::ostream* stream) { *stream << value.name; }

class JwsKeyTest : public x509::TokenKeyTest, public testing::WithParamInterface<Case> {};

// RFC 7518, sections 3.3 and 3.4: r || s of fixed size, not DER.
TEST_P(JwsKeyTest, SignsOnTheTokenInTheFormOfJose) {
  const keys::PrivateKey key = TokenKeyTest::key(GetParam().algorithm, GetParam().size);
  const JwsKey jws = jws_key(key);
  EXPECT_EQ(jws.algorithm, GetParam().jose);
  const std::string input = "eyJhbGciOiJub25lIn0.e30";
  const Bytes signature = jws.sign(input);
  EXPECT_EQ(signature.size(), GetParam().signature_size);
  const x509::EvpPkey public_key = x509::to_evp_pkey(key.public_key(), nullptr);
  if (std::string_view(GetParam().algorithm) == "EC") {
    Bytes digest(EVP_MAX_MD_SIZE);
    std::size_t size = 0;
    ASSERT_EQ(
        EVP_Q_digest(nullptr, GetParam().digest, nullptr, input.data(), input.size(), digest.data(), &size),
        1);
    digest.resize(size);
    EXPECT_TRUE(x509::verifies(key.public_key(), pkcs11::Ecdsa{}, digest, signature, nullptr));
    return;
  }
  const x509::EvpMdContext context(EVP_MD_CTX_new());
  const EVP_MD* digest = *GetParam().digest == '\0' ? nullptr : EVP_sha256();
  ASSERT_EQ(EVP_DigestVerifyInit(context.get(), nullptr, digest, nullptr, public_key.get()), 1);
  EXPECT_EQ(EVP_DigestVerify(context.get(), signature.data(), signature.size(), bytes_of(input).data(),
                             input.size()),
            1);
}

// The members that RFC 7638, section 3.2, requires, in their order; RFC 7518, section 6.2.1.2: coordinates
// have the size of the field.
TEST_P(JwsKeyTest, HasAKeyInCanonicalForm) {
  const std::string jwk = jws_key(TokenKeyTest::key(GetParam().algorithm, GetParam().size)).jwk;
  const boost::json::object members = boost::json::parse(jwk).as_object();
  EXPECT_EQ(boost::json::serialize(members), jwk);
  std::string names;
  for (const auto& member : members) names += std::string(member.key()) + " ";
  const std::string_view kind = GetParam().algorithm;
  EXPECT_EQ(names, kind == "RSA" ? "e kty n " : kind == "EC" ? "crv kty x y " : "crv kty x ");
  if (kind != "EC") return;
  EXPECT_EQ(decoded(boost::json::value_to<std::string>(members.at("x"))).size(),
            GetParam().signature_size / 2);
}

INSTANTIATE_TEST_SUITE_P(All, JwsKeyTest, testing::ValuesIn(kCases),
                         [](const auto& test) { return test.param.name; });

class NoJwsKeyTest : public x509::TokenKeyTest {};

TEST_F(NoJwsKeyTest, IsAKeyThatNoCaTakes) {
  EXPECT_THROW(static_cast<void>(jws_key(key("EC", 0, "secp256k1"))), UsageError);
  EXPECT_THROW(static_cast<void>(jws_key(key("EC", 0, "brainpoolP256r1"))), UsageError);
}

}  // namespace
}  // namespace keystay::tools::acme
