// A key pair that was made in software comes to the token whole or not at all, and the token tells where it
// is from.
#include <openssl/core_names.h>
#include <openssl/evp.h>

#include "native/x509/openssl_types.h"
#include "native/x509/public_key.h"
#include "tests/keys/key_store_test.h"
#include "tests/support/signature_check.h"

namespace keystay::keys {
namespace {

using testing::HasSubstr;
using testing::Not;

struct SoftwareKind {
  const char* name;
  const char* algorithm;  // of EVP_PKEY_Q_keygen
  const char* group;
};

x509::EvpPkey make_in_software(const SoftwareKind& kind) {
  const std::string_view algorithm = kind.algorithm;
  if (algorithm == "RSA") return x509::EvpPkey(EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", std::size_t{2048}));
  if (algorithm == "EC") return x509::EvpPkey(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", kind.group));
  return x509::EvpPkey(EVP_PKEY_Q_keygen(nullptr, nullptr, kind.algorithm));
}

Bytes number(const EVP_PKEY* key, const char* parameter) {
  BIGNUM* value = nullptr;
  EXPECT_EQ(EVP_PKEY_get_bn_param(key, parameter, &value), 1) << parameter;
  Bytes bytes(static_cast<std::size_t>(BN_num_bytes(value)));
  BN_bn2bin(value, bytes.data());
  BN_clear_free(value);
  return bytes;
}

std::vector<Bytes> private_half(const EVP_PKEY* key) {
  if (EVP_PKEY_is_a(key, "EC")) return {number(key, OSSL_PKEY_PARAM_PRIV_KEY)};
  if (EVP_PKEY_is_a(key, "RSA")) {
    return {number(key, OSSL_PKEY_PARAM_RSA_D),         number(key, OSSL_PKEY_PARAM_RSA_FACTOR1),
            number(key, OSSL_PKEY_PARAM_RSA_FACTOR2),   number(key, OSSL_PKEY_PARAM_RSA_EXPONENT1),
            number(key, OSSL_PKEY_PARAM_RSA_EXPONENT2), number(key, OSSL_PKEY_PARAM_RSA_COEFFICIENT1)};
  }
  std::size_t size = 32;
  Bytes seed(size);
  EXPECT_EQ(EVP_PKEY_get_raw_private_key(key, seed.data(), &size), 1);
  return {seed};
}

class ImportTest : public KeyStoreTest {
 protected:
  Entry import_key(const std::string& alias, const EVP_PKEY* key) {
    const std::vector<Bytes> half = private_half(key);
    return store_.import_key(alias, {x509::from_evp_pkey(key), {half.begin(), half.end()}});
  }
};

class Import : public ImportTest, public testing::WithParamInterface<SoftwareKind> {};

TEST_P(Import, MakesAnAliasWhoseSignaturesVerify) {
  const x509::EvpPkey key = make_in_software(GetParam());
  const Entry entry = import_key("httpd", key.get());
  const Bytes digest(32, 0x17);
  Bytes signature(entry.key.signature_size());
  if (entry.key.type() == CKK_RSA) {
    const pkcs11::RsaPss pss{pkcs11::Hash::sha256, pkcs11::Hash::sha256, 32};
    signature.resize(entry.key.sign(pss, digest, signature));
    EXPECT_TRUE(test::verifies_rsa_pss(key.get(), "SHA256", digest, signature));
  } else if (entry.key.type() == CKK_EC) {
    signature.resize(entry.key.sign(pkcs11::Ecdsa{}, digest, signature));
    EXPECT_TRUE(test::verifies_ecdsa(key.get(), digest, signature));
    EXPECT_TRUE(test::verifies_ecdsa(test::read_public_key(hsm_, "httpd").get(), digest, signature));
  } else {
    signature.resize(entry.key.sign(pkcs11::EdDsa{}, digest, signature));
    EXPECT_TRUE(test::verifies_ed25519(key.get(), digest, signature));
  }
}

// From now on the key stays; that it was elsewhere before, nobody can take back.
TEST_P(Import, MakesAKeyThatStaysAndThatIsNotCalledTheTokensOwn) {
  import_key("httpd", make_in_software(GetParam()).get());
  constexpr CK_ATTRIBUTE_TYPE kTypes[] = {CKA_SENSITIVE,
                                          CKA_EXTRACTABLE,
                                          CKA_ALWAYS_SENSITIVE,
                                          CKA_NEVER_EXTRACTABLE,
                                          CKA_LOCAL,
                                          CKA_SIGN,
                                          CKA_VALUE,
                                          CKA_PRIVATE,
                                          CKA_DECRYPT,
                                          CKA_DERIVE,
                                          CKA_PRIVATE_EXPONENT};
  pkcs11::Attributes key;
  token_->with_session([&](pkcs11::Session& session) {
    pkcs11::Template search;
    search.number(CKA_CLASS, CKO_PRIVATE_KEY).flag(CKA_TOKEN, true);
    const std::vector<CK_OBJECT_HANDLE> found = session.find_objects(std::move(search));
    ASSERT_EQ(found.size(), 1u);
    key = session.attributes(found.front(), kTypes);
  });
  for (const CK_ATTRIBUTE_TYPE type : {CKA_SENSITIVE, CKA_PRIVATE, CKA_SIGN}) EXPECT_EQ(key.flag(type), true);
  for (const CK_ATTRIBUTE_TYPE type :
       {CKA_EXTRACTABLE, CKA_ALWAYS_SENSITIVE, CKA_NEVER_EXTRACTABLE, CKA_LOCAL, CKA_DECRYPT, CKA_DERIVE}) {
    EXPECT_NE(key.flag(type), true) << type;
  }
  EXPECT_EQ(key.find(CKA_VALUE), nullptr);
  EXPECT_EQ(key.find(CKA_PRIVATE_EXPONENT), nullptr);
  EXPECT_THAT(hsm_.pkcs11_tool({"--list-objects"}), Not(HasSubstr("local")));
}

INSTANTIATE_TEST_SUITE_P(OfEveryKind, Import,
                         testing::Values(SoftwareKind{"RSA_2048", "RSA", ""},
                                         SoftwareKind{"P_256", "EC", "P-256"},
                                         SoftwareKind{"P_521", "EC", "P-521"},
                                         SoftwareKind{"Ed25519", "ED25519", ""}),
                         [](const auto& test) { return test.param.name; });

class OneImport : public ImportTest {
 protected:
  x509::EvpPkey key_ = make_in_software({"P_256", "EC", "P-256"});
};

TEST_F(OneImport, RefusesAnAliasThatExists) {
  generate("httpd");
  const std::vector<std::string> before = inventory();
  const std::optional<Error> error = error_of([&] { import_key("httpd", key_.get()); });
  ASSERT_TRUE(error);
  EXPECT_THAT(error->what(), HasSubstr("alias \"httpd\" already exists"));
  EXPECT_EQ(inventory(), before);
}

TEST_F(OneImport, RefusesAKeyThatHasAnAlias) {
  import_key("httpd", key_.get());
  const std::vector<std::string> before = inventory();
  const std::optional<Error> error = error_of([&] { import_key("other", key_.get()); });
  ASSERT_TRUE(error);
  EXPECT_THAT(error->what(), HasSubstr("already, as alias \"httpd\""));
  EXPECT_EQ(inventory(), before);
}

TEST_F(OneImport, RefusesAPrivateHalfThatIsNotComplete) {
  const std::optional<Error> error = error_of([&] {
    store_.import_key("httpd", {x509::from_evp_pkey(key_.get()), {}});
  });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->error_class(), ErrorClass::client);
  EXPECT_TRUE(inventory().empty());
}

// Whichever call fails, no half of an alias is left.
TEST_F(OneImport, ThatFailsLeavesNothing) {
  for (const Function function : {Function::C_CreateObject, Function::C_SetAttributeValue}) {
    faults_.fail(function, CKR_DEVICE_MEMORY);
    const std::optional<Error> error = error_of([&] { import_key("httpd", key_.get()); });
    ASSERT_TRUE(error) << test::name(function);
    EXPECT_EQ(error->code(), CKR_DEVICE_MEMORY);
    EXPECT_TRUE(inventory().empty()) << test::name(function);
  }
}

TEST_F(OneImport, ThatLosesItsSessionMakesOneKey) {
  faults_.fail(Function::C_SetAttributeValue, CKR_SESSION_HANDLE_INVALID);
  EXPECT_TRUE(signs(import_key("httpd", key_.get())));
  EXPECT_EQ(inventory().size(), 2u);
}

}  // namespace
}  // namespace keystay::keys
