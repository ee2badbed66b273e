// Public keys and certificates by URI: beside a private key, without one, and without a login.
#include <openssl/pem.h>

#include "native/x509/pem_reference.h"
#include "tests/provider/openssl_program.h"
#include "tests/support/test_ca.h"

namespace keystay::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string uri_with(const std::string& attributes) { return "pkcs11:token=web;" + attributes; }

class PublicObjectTest : public OpensslProgramTest {
 protected:
  // A public key of somebody else, "peer", whose private key is on no token, with its file.
  static void SetUpTestSuite() {
    OpensslProgramTest::SetUpTestSuite();
    run_or_throw({"openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out",
                  path("peer.key")});
    run_or_throw(
        {"openssl", "pkey", "-in", path("peer.key"), "-pubout", "-outform", "DER", "-out", path("peer.der")});
    run_or_throw({"openssl", "pkey", "-in", path("peer.key"), "-pubout", "-out", path("peer.pub")});
    token().pkcs11_tool(
        {"--write-object", path("peer.der"), "--type", "pubkey", "--label", "peer", "--id", "61"});
  }

  // The types of all objects; -1 if there is an error.
  static std::vector<int> list(const LibraryContext& context, const std::string& uri) {
    const Owned<OSSL_STORE_CTX, OSSL_STORE_close> store(
        OSSL_STORE_open_ex(uri.c_str(), context.get(), nullptr, nullptr, nullptr, nullptr, nullptr, nullptr));
    std::vector<int> types;
    while (!OSSL_STORE_eof(store.get())) {
      const Owned<OSSL_STORE_INFO, OSSL_STORE_INFO_free> info(OSSL_STORE_load(store.get()));
      if (info) types.push_back(OSSL_STORE_INFO_get_type(info.get()));
      if (OSSL_STORE_error(store.get())) types.push_back(-1);
    }
    return types;
  }
  std::vector<int> list(const std::string& uri) const { return list(context_, uri); }

  // A reference to this object; its public key is not in it.
  static std::string bare(const std::string& label, CK_OBJECT_CLASS type) {
    pkcs11::Uri uri;
    uri.token = "web";
    uri.object = label;
    uri.type = type;
    return x509::encode_pem_reference(uri);
  }

  LibraryContext context_;
};

TEST_F(PublicObjectTest, APublicKeyWithoutAPrivateOneIsLoaded) {
  EXPECT_THAT(list(uri_with("object=peer")), ElementsAre(OSSL_STORE_INFO_PUBKEY));
  EXPECT_THAT(list(uri_with("id=%61")), ElementsAre(OSSL_STORE_INFO_PUBKEY));
  EXPECT_THAT(list(uri_with("object=peer;type=public")), ElementsAre(OSSL_STORE_INFO_PUBKEY));
  EXPECT_THAT(list(uri_with("object=peer;id=%62")), ElementsAre(-1));
  EXPECT_THAT(list(uri_with("object=peer;type=private")), ElementsAre(-1));
  static_cast<void>(take_errors());
  const EvpPkey key = context_.load(uri_with("object=peer"), OSSL_STORE_INFO_PUBKEY);
  ASSERT_TRUE(key) << take_errors();
  run_or_throw({"openssl", "dgst", "-sha256", "-sign", path("peer.key"), "-out", path("peer.sig"), message_});
  const Outcome verified =
      openssl({"pkeyutl", "-verify", "-pubin", "-inkey", uri_with("object=peer;type=public"), "-rawin", "-in",
               message_, "-digest", "sha256", "-sigfile", path("peer.sig")});
  EXPECT_TRUE(verified.ok()) << verified;
}

TEST_F(PublicObjectTest, AUriWithoutATypeNamesBothHalves) {
  EXPECT_THAT(list(uri_with("id=%02")), ElementsAre(OSSL_STORE_INFO_PKEY, OSSL_STORE_INFO_PUBKEY));
  EXPECT_THAT(list(uri_with("object=ec")), ElementsAre(OSSL_STORE_INFO_PKEY, OSSL_STORE_INFO_PUBKEY));
  EXPECT_THAT(list(uri_with("object=ec;type=public")), ElementsAre(OSSL_STORE_INFO_PUBKEY));
  EXPECT_THAT(list(uri_with("object=ec;type=private")), ElementsAre(OSSL_STORE_INFO_PKEY));
  EXPECT_THAT(list("keystay:ec"), ElementsAre(OSSL_STORE_INFO_PKEY));
}

// An id that no key has: the certificates of others are not what is named.
TEST_F(PublicObjectTest, AnIdNamesNoOtherCertificate) {
  const TestCa ca;
  for (const auto& [pem, id] : {std::pair(ca.root_pem(), "71"), std::pair(ca.intermediate_pem(), "72")}) {
    run_or_throw(
        {"openssl", "x509", "-in", file("some.pem", pem), "-outform", "DER", "-out", path("some.der")});
    token().pkcs11_tool(
        {"--write-object", path("some.der"), "--type", "cert", "--label", "some", "--id", id});
  }
  EXPECT_THAT(list(uri_with("id=%72;type=cert")), ElementsAre(OSSL_STORE_INFO_CERT));
  EXPECT_THAT(list(uri_with("id=%73;type=cert")), ElementsAre(-1));
  static_cast<void>(take_errors());
}

TEST_F(PublicObjectTest, WithoutALoginWhatTheTokenShowsIsLoaded) {
  setenv("KEYSTAY_CONF",
         file("no-pin.toml", "[token.web]\nmodule = \"" + token().module().string() + "\"\nlabel = \"web\"\n")
             .c_str(),
         1);
  faults().forget_initialize();  // nobody is logged in
  faults().reset_calls();
  const LibraryContext context;
  EXPECT_THAT(list(context, uri_with("object=ec;type=public")), ElementsAre(OSSL_STORE_INFO_PUBKEY));
  EXPECT_THAT(list(context, uri_with("object=ec")), ElementsAre(OSSL_STORE_INFO_PUBKEY));
  EXPECT_EQ(faults().calls(Function::C_Login), 0u);
  static_cast<void>(take_errors());
}

TEST_F(PublicObjectTest, AReferenceMayNameAPublicKey) {
  for (const char* label : {"peer", "ec", "rsa"}) {
    const std::string reference = file("public.ref", bare(label, CKO_PUBLIC_KEY));
    const Outcome shown = openssl({"pkey", "-pubin", "-in", reference, "-pubout"});
    EXPECT_TRUE(shown.ok()) << label << shown;
    EXPECT_EQ(shown.output, read_file(path(std::string(label) + ".pub"))) << label;
    EXPECT_FALSE(context_.read_pem(bare(label, CKO_PUBLIC_KEY))) << label << " is no private key";
    static_cast<void>(take_errors());
  }
}

TEST_F(PublicObjectTest, AReferenceToAnythingElseIsRefused) {
  EXPECT_FALSE(context_.read_pem(bare("ec", CKO_CERTIFICATE)));
  EXPECT_THAT(take_errors(), HasSubstr("is no key"));
  EXPECT_FALSE(context_.read_pem(bare("peer", CKO_PRIVATE_KEY)));
  EXPECT_THAT(take_errors(), HasSubstr("has no private key"));
}

}  // namespace
}  // namespace keystay::test
