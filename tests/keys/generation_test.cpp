// A generated key pair is complete, standard, and never leaves the token.
#include <csignal>

#include <openssl/evp.h>
#include <openssl/sha.h>
#include <sys/wait.h>
#include <unistd.h>

#include "native/pkcs11/text.h"
#include "native/x509/public_key.h"
#include "tests/keys/key_store_test.h"
#include "tests/support/signature_check.h"

namespace keystay::keys {
namespace {

using pkcs11::Attributes;
using pkcs11::Session;
using pkcs11::Template;
using testing::HasSubstr;
using testing::Not;

struct Kind {
  const char* name;
  const char* algorithm;
  unsigned size;
  CK_KEY_TYPE type;
  std::size_t signature;
};

class Generation : public KeyStoreTest, public testing::WithParamInterface<Kind> {
 protected:
  Entry generate() { return store_.generate("httpd", key_spec(GetParam().algorithm, GetParam().size, "")); }

  // The attributes of the only object of this class, as the token reports them.
  Attributes reported(CK_OBJECT_CLASS object_class) {
    constexpr CK_ATTRIBUTE_TYPE kTypes[] = {CKA_TOKEN,
                                            CKA_PRIVATE,
                                            CKA_SENSITIVE,
                                            CKA_EXTRACTABLE,
                                            CKA_LOCAL,
                                            CKA_SIGN,
                                            CKA_SIGN_RECOVER,
                                            CKA_DECRYPT,
                                            CKA_UNWRAP,
                                            CKA_DERIVE,
                                            CKA_VERIFY,
                                            CKA_ID,
                                            CKA_LABEL,
                                            CKA_ALWAYS_SENSITIVE,
                                            CKA_NEVER_EXTRACTABLE,
                                            CKA_VALUE,
                                            CKA_PRIVATE_EXPONENT,
                                            CKA_KEY_TYPE};
    Attributes attributes;
    token_->with_session([&](Session& session) {
      Template search;
      search.number(CKA_CLASS, object_class).flag(CKA_TOKEN, true);
      const std::vector<CK_OBJECT_HANDLE> found = session.find_objects(std::move(search));
      ASSERT_EQ(found.size(), 1u);
      attributes = session.attributes(found.front(), kTypes);
    });
    return attributes;
  }
};

TEST_P(Generation, MakesAPrivateKeyThatTheTokenKeeps) {
  generate();
  const Attributes key = reported(CKO_PRIVATE_KEY);
  EXPECT_EQ(key.number(CKA_KEY_TYPE), GetParam().type);
  EXPECT_EQ(key.flag(CKA_TOKEN), true);
  EXPECT_EQ(key.flag(CKA_PRIVATE), true);
  EXPECT_EQ(key.flag(CKA_SENSITIVE), true);
  EXPECT_EQ(key.flag(CKA_EXTRACTABLE), false);
  EXPECT_EQ(key.flag(CKA_ALWAYS_SENSITIVE), true);
  EXPECT_EQ(key.flag(CKA_NEVER_EXTRACTABLE), true);
  EXPECT_EQ(key.flag(CKA_LOCAL), true);
  EXPECT_EQ(key.find(CKA_VALUE), nullptr);
  EXPECT_EQ(key.find(CKA_PRIVATE_EXPONENT), nullptr);
}

TEST_P(Generation, MakesAKeyThatDecryptsOrDerivesWhenAsked) {
  store_.generate("httpd", {key_spec(GetParam().algorithm, GetParam().size, ""), KeyUse::sign_and_exchange});
  const Attributes key = reported(CKO_PRIVATE_KEY);
  EXPECT_EQ(key.flag(CKA_SIGN), true);
  EXPECT_EQ(key.flag(CKA_DECRYPT), GetParam().type == CKK_RSA);
  EXPECT_EQ(key.flag(CKA_DERIVE), GetParam().type == CKK_EC);
  EXPECT_EQ(key.flag(CKA_UNWRAP), false);
}

TEST_P(Generation, MakesAKeyThatExchangesAndDoesNotSign) {
  if (GetParam().type != CKK_RSA && GetParam().type != CKK_EC) return;  // Edwards keys exchange nothing
  store_.generate("httpd", {key_spec(GetParam().algorithm, GetParam().size, ""), KeyUse::exchange});
  const Attributes key = reported(CKO_PRIVATE_KEY);
  for (const CK_ATTRIBUTE_TYPE type : {CKA_SIGN, CKA_SIGN_RECOVER, CKA_UNWRAP})
    EXPECT_NE(key.flag(type), true) << type;
}

TEST_P(Generation, MakesAKeyThatSignsAndDoesNothingElse) {
  generate();
  const Attributes key = reported(CKO_PRIVATE_KEY);
  EXPECT_EQ(key.flag(CKA_SIGN), true);
  for (const CK_ATTRIBUTE_TYPE type : {CKA_DECRYPT, CKA_UNWRAP, CKA_DERIVE})
    EXPECT_NE(key.flag(type), true) << type;
  const Attributes public_key = reported(CKO_PUBLIC_KEY);
  EXPECT_EQ(public_key.flag(CKA_TOKEN), true);
  EXPECT_EQ(public_key.flag(CKA_PRIVATE), false);
  EXPECT_EQ(public_key.flag(CKA_VERIFY), true);
}

// RFC 5280, section 4.2.1.2, method 1: what libcrypto writes as subjectKeyIdentifier too.
TEST_P(Generation, JoinsBothHalvesByLabelAndByTheHashOfThePublicKey) {
  const Entry entry = generate();
  const Bytes bits = x509::subject_public_key_bits(entry.key.public_key());
  Bytes sha1(SHA_DIGEST_LENGTH);
  SHA1(bits.data(), bits.size(), sha1.data());
  for (const CK_OBJECT_CLASS object_class : {CKO_PRIVATE_KEY, CKO_PUBLIC_KEY}) {
    const Attributes object = reported(object_class);
    EXPECT_EQ(object.bytes(CKA_ID), sha1);
    EXPECT_EQ(object.text(CKA_LABEL), "httpd");
  }
  EXPECT_EQ(entry.key.reference().id(), sha1);
  EXPECT_EQ(entry.alias, "httpd");
  EXPECT_FALSE(entry.leaf);
}

TEST_P(Generation, IsSeenByPkcs11Tool) {
  const Entry entry = generate();
  const std::string listed = hsm_.pkcs11_tool({"--list-objects"});
  EXPECT_THAT(listed, HasSubstr("Private Key Object"));
  EXPECT_THAT(listed, HasSubstr("Public Key Object"));
  EXPECT_THAT(listed, HasSubstr("label:      httpd"));
  EXPECT_THAT(listed, HasSubstr("ID:         " + pkcs11::hex(entry.key.reference().id())));
  EXPECT_THAT(listed, HasSubstr("sensitive, always sensitive, never extractable, local"));
}

TEST_P(Generation, KnowsTheSizeOfItsSignatures) {
  const Entry entry = generate();
  EXPECT_EQ(entry.key.signature_size(), GetParam().signature);
  EXPECT_EQ(entry.key.type(), GetParam().type);
}

TEST_P(Generation, MakesAKeyWhoseSignaturesVerify) {
  const Entry entry = generate();
  const x509::EvpPkey key = x509::to_evp_pkey(entry.key.public_key(), nullptr);
  const Bytes digest(32, 0x17);
  Bytes signature(entry.key.signature_size());
  if (GetParam().type == CKK_RSA) {
    const pkcs11::RsaPss pss{pkcs11::Hash::sha256, pkcs11::Hash::sha256, 32};
    signature.resize(entry.key.sign(pss, digest, signature));
    EXPECT_TRUE(test::verifies_rsa_pss(key.get(), "SHA256", digest, signature));
  } else if (GetParam().type == CKK_EC) {
    signature.resize(entry.key.sign(pkcs11::Ecdsa{}, digest, signature));
    EXPECT_TRUE(test::verifies_ecdsa(key.get(), digest, signature));
  } else {
    signature.resize(entry.key.sign(pkcs11::EdDsa{}, digest, signature));
    EXPECT_TRUE(test::verifies_ed25519(key.get(), digest, signature));
  }
}

INSTANTIATE_TEST_SUITE_P(OfEveryKind, Generation,
                         testing::Values(Kind{"RSA_2048", "RSA", 2048, CKK_RSA, 256},
                                         Kind{"P_256", "EC", 256, CKK_EC, 64},
                                         Kind{"P_384", "EC", 384, CKK_EC, 96},
                                         Kind{"P_521", "EC", 521, CKK_EC, 132},
                                         Kind{"Ed25519", "Ed25519", 0, CKK_EC_EDWARDS, 64}),
                         [](const auto& test) { return test.param.name; });

class LargeRsaGeneration : public Generation {};

// Large primes are slow to find: one test for each size.
TEST_P(LargeRsaGeneration, MakesAKeyThatTheTokenKeepsAndThatSigns) {
  const Entry entry = generate();
  EXPECT_EQ(entry.key.signature_size(), GetParam().signature);
  const Attributes key = reported(CKO_PRIVATE_KEY);
  EXPECT_EQ(key.flag(CKA_SENSITIVE), true);
  EXPECT_EQ(key.flag(CKA_NEVER_EXTRACTABLE), true);
  const Bytes digest(32, 0x17);
  Bytes signature(entry.key.signature_size());
  signature.resize(
      entry.key.sign(pkcs11::RsaPss{pkcs11::Hash::sha256, pkcs11::Hash::sha256, 32}, digest, signature));
  EXPECT_TRUE(
      test::verifies_rsa_pss(test::read_public_key(hsm_, "httpd").get(), "SHA256", digest, signature));
}

INSTANTIATE_TEST_SUITE_P(OfEverySize, LargeRsaGeneration,
                         testing::Values(Kind{"RSA_3072", "RSA", 3072, CKK_RSA, 384},
                                         Kind{"RSA_4096", "RSA", 4096, CKK_RSA, 512}),
                         [](const auto& test) { return test.param.name; });

class OneGeneration : public KeyStoreTest {};

TEST_F(OneGeneration, RefusesAnAliasThatExistsAndChangesNothing) {
  generate("httpd");
  const std::vector<std::string> before = inventory();
  const std::optional<Error> error = error_of([&] { generate("httpd"); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->error_class(), ErrorClass::client);
  EXPECT_THAT(error->what(), HasSubstr("alias \"httpd\""));
  EXPECT_EQ(inventory(), before);
}

TEST_F(OneGeneration, RefusesAnAliasWithoutAName) {
  EXPECT_TRUE(error_of([&] { generate(""); }));
}

TEST_F(OneGeneration, TakesAnyNameAsItIs) {
  for (const char* alias : {"www.example.org", "schlüssel", "with space", "a/b;c=d%20&e?f#g"}) {
    EXPECT_EQ(generate(alias).alias, alias);
    const std::optional<Entry> found = store_.find(alias);
    ASSERT_TRUE(found) << alias;
    EXPECT_EQ(found->alias, alias);
  }
}

// Whichever call fails, no half of an alias is left.
TEST_F(OneGeneration, ThatFailsLeavesNothing) {
  for (const Function function : {Function::C_GenerateKeyPair, Function::C_SetAttributeValue}) {
    faults_.fail(function, CKR_DEVICE_MEMORY);
    const std::optional<Error> error = error_of([&] { generate("httpd"); });
    ASSERT_TRUE(error) << test::name(function);
    EXPECT_EQ(error->code(), CKR_DEVICE_MEMORY);
    EXPECT_TRUE(inventory().empty()) << test::name(function);
  }
}

// Killed between C_GenerateKeyPair and the naming: no alias comes of it, and none is in the way.
TEST_F(OneGeneration, ThatIsKilledLeavesNoHalfAlias) {
  faults_.hold(Function::C_SetAttributeValue);
  const pid_t child = fork();
  if (child == 0) {
    generate("httpd");
    _exit(0);
  }
  ASSERT_TRUE(faults_.wait_until_inside(Function::C_SetAttributeValue, 1));
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  faults_.release(Function::C_SetAttributeValue);
  EXPECT_FALSE(store_.find("httpd"));
  EXPECT_TRUE(signs(generate("httpd")));
}

TEST_F(OneGeneration, ThatLosesItsSessionMakesOneKey) {
  faults_.fail(Function::C_SetAttributeValue, CKR_SESSION_HANDLE_INVALID);
  EXPECT_TRUE(signs(generate("httpd")));
  EXPECT_EQ(inventory().size(), 2u);
}

TEST_F(OneGeneration, OfWhatTheTokenDoesNotOfferSaysSo) {
  faults_.fail(Function::C_GenerateKeyPair, CKR_MECHANISM_INVALID);
  const std::optional<Error> error = error_of([&] { generate("httpd"); });
  ASSERT_TRUE(error);
  EXPECT_THAT(error->what(), HasSubstr("token \"web\""));
  EXPECT_THAT(error->what(), HasSubstr("CKR_MECHANISM_INVALID"));
}

}  // namespace
}  // namespace keystay::keys
