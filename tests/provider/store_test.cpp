// OSSL_STORE: keys, leaves and chains by URI.
#include <array>

#include <openssl/err.h>
#include <openssl/pem.h>

#include "native/keys/key_store.h"
#include "native/x509/openssl_pkix.h"
#include "tests/provider/provider_test.h"
#include "tests/provider/signing.h"
#include "tests/support/test_ca.h"

namespace keystay::test {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

using Store = Owned<OSSL_STORE_CTX, OSSL_STORE_close>;
using StoreInfo = Owned<OSSL_STORE_INFO, OSSL_STORE_INFO_free>;

class StoreTest : public ProviderTest {
 protected:
  [[nodiscard]] Store open(const std::string& uri, int expect = 0) const {
    Store store(OSSL_STORE_open_ex(uri.c_str(), context_.get(), nullptr, nullptr, nullptr, nullptr, nullptr,
                                   nullptr));
    EXPECT_TRUE(store) << take_errors();
    if (expect != 0) {
      EXPECT_EQ(OSSL_STORE_expect(store.get(), expect), 1);
    }
    return store;
  }

  // The types of all objects, in their order.
  [[nodiscard]] std::vector<int> list(const std::string& uri, int expect = 0) const {
    std::vector<int> types;
    const Store store = open(uri, expect);
    while (!OSSL_STORE_eof(store.get())) {
      if (const StoreInfo info(OSSL_STORE_load(store.get())); info) {
        types.push_back(OSSL_STORE_INFO_get_type(info.get()));
      }
    }
    return types;
  }

  LibraryContext context_;
};

std::string uri(const char* attributes) { return std::string("pkcs11:token=web") + attributes; }

TEST_F(StoreTest, OneKeyHasManyNames) {
  for (const std::string& name :
       {std::string("keystay:ec"), std::string("keystay:web/ec"), std::string("keystay:EC"),
        uri(";object=ec"), uri(";id=%02"), uri(";object=ec;id=%02;type=private"), std::string("Keystay:ec"),
        std::string("PKCS11:token=web;object=ec")}) {
    const EvpPkey key = context_.load(name);
    ASSERT_TRUE(key) << name << take_errors();
    EXPECT_EQ(EVP_PKEY_eq(key.get(), public_key("ec").get()), 1) << name;
  }
}

TEST_F(StoreTest, AnAliasIsItsKeyItsLeafAndItsChain) {
  const TestCa ca;
  const auto request = token().directory().path() / "store.csr";
  run_or_throw({"openssl", "req", "-provider-path", provider_path(), "-provider", "keystay", "-provider",
                "default", "-new", "-key", "keystay:rsa", "-subj", "/CN=localhost", "-out", request},
               {.environment = program_environment()});
  const std::string chain = ca.sign_with_chain(read_file(request));
  const auto leaf = token().directory().write("leaf.pem", chain);
  // pkcs11-tool stores one certificate at a time, as DER.
  const auto issuer = token().directory().write("issuer.pem", ca.intermediate_pem());
  for (const auto& [pem, label, id] : {std::tuple(leaf, "rsa", "01"), std::tuple(issuer, "issuer", "99")}) {
    const auto der = token().directory().path() / "certificate.der";
    run_or_throw({"openssl", "x509", "-in", pem, "-outform", "DER", "-out", der});
    token().pkcs11_tool({"--write-object", der, "--type", "cert", "--label", label, "--id", id});
  }
  EXPECT_THAT(list("keystay:rsa"),
              ElementsAre(OSSL_STORE_INFO_PKEY, OSSL_STORE_INFO_CERT, OSSL_STORE_INFO_CERT));
  EXPECT_THAT(list("keystay:rsa", OSSL_STORE_INFO_PKEY), ElementsAre(OSSL_STORE_INFO_PKEY));
  EXPECT_THAT(list("keystay:rsa", OSSL_STORE_INFO_CERT),
              ElementsAre(OSSL_STORE_INFO_CERT, OSSL_STORE_INFO_CERT));
  EXPECT_THAT(list("keystay:rsa", OSSL_STORE_INFO_PUBKEY), ElementsAre(OSSL_STORE_INFO_PUBKEY));
  EXPECT_THAT(list(uri(";object=rsa;type=cert")), ElementsAre(OSSL_STORE_INFO_CERT, OSSL_STORE_INFO_CERT));
  EXPECT_THAT(list(uri(";object=rsa;type=public")), ElementsAre(OSSL_STORE_INFO_PUBKEY));
  EXPECT_THAT(list(uri(";object=rsa;type=private")), ElementsAre(OSSL_STORE_INFO_PKEY));
  // A certificate without a key.
  EXPECT_THAT(list("keystay:issuer", OSSL_STORE_INFO_CERT), ElementsAre(OSSL_STORE_INFO_CERT));

  // The leaf comes first, and fits.
  const Store store = open("keystay:rsa", OSSL_STORE_INFO_CERT);
  const StoreInfo first(OSSL_STORE_load(store.get()));
  ASSERT_TRUE(first) << take_errors();
  EXPECT_EQ(
      X509_check_private_key(OSSL_STORE_INFO_get0_CERT(first.get()), context_.load("keystay:rsa").get()), 1);
}

TEST_F(StoreTest, CertificatesAreSearchedBySubject) {
  const TestCa ca;
  const auto der = token().directory().path() / "root.der";
  const auto pem = token().directory().write("root.pem", ca.root_pem());
  run_or_throw({"openssl", "x509", "-in", pem, "-outform", "DER", "-out", der});
  token().pkcs11_tool({"--write-object", der, "--type", "cert", "--label", "anchor"});
  const x509::InputOutput bio(BIO_new_mem_buf(ca.root_pem().data(), -1));
  const X509Certificate root(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));

  const auto find = [&](X509_NAME* subject) {
    const Store store = open("keystay:anchor", OSSL_STORE_INFO_CERT);
    const Owned<OSSL_STORE_SEARCH, OSSL_STORE_SEARCH_free> search(OSSL_STORE_SEARCH_by_name(subject));
    EXPECT_EQ(OSSL_STORE_find(store.get(), search.get()), 1) << take_errors();
    return StoreInfo(OSSL_STORE_load(store.get()));
  };
  EXPECT_TRUE(find(X509_get_subject_name(root.get()))) << take_errors();
  const Owned<X509_NAME, X509_NAME_free> other(X509_NAME_new());
  EXPECT_FALSE(find(other.get()));
  EXPECT_EQ(take_errors(), "") << "a search that finds nothing is no failure";

  // As `-CAstore` does, which gives up at the first object that is neither a certificate nor a CRL.
  for (const std::string& name : {std::string("keystay:anchor"), uri(""), uri(";type=cert")}) {
    const Owned<X509_STORE, X509_STORE_free> trusted(X509_STORE_new());
    EXPECT_EQ(X509_STORE_load_store_ex(trusted.get(), name.c_str(), context_.get(), nullptr), 1);
    const Owned<X509_STORE_CTX, X509_STORE_CTX_free> verification(
        X509_STORE_CTX_new_ex(context_.get(), nullptr));
    ASSERT_EQ(X509_STORE_CTX_init(verification.get(), trusted.get(), root.get(), nullptr), 1);
    EXPECT_EQ(X509_verify_cert(verification.get()), 1) << name << take_errors();
  }
}

// Pitfall 2.7: servers load until the end.
std::vector<int> found_by(const LibraryContext& context, const char* name, OSSL_STORE_SEARCH* criterion) {
  const Owned<OSSL_STORE_SEARCH, OSSL_STORE_SEARCH_free> search(criterion);
  std::vector<int> types;
  const Store store(
      OSSL_STORE_open_ex(name, context.get(), nullptr, nullptr, nullptr, nullptr, nullptr, nullptr));
  EXPECT_TRUE(store) << take_errors();
  if (OSSL_STORE_find(store.get(), search.get()) != 1) return {-1};
  while (!OSSL_STORE_eof(store.get())) {
    if (const StoreInfo info(OSSL_STORE_load(store.get())); info)
      types.push_back(OSSL_STORE_INFO_get_type(info.get()));
  }
  return types;
}

// A caller takes the first object for what it searched: so there must be no other.
TEST_F(StoreTest, ASearchFindsOnlyWhatItIsFor) {
  const auto by_alias = [&](const char* name, const char* alias) {
    return found_by(context_, name, OSSL_STORE_SEARCH_by_alias(alias));
  };
  EXPECT_THAT(by_alias("pkcs11:token=web", "ec"), ElementsAre(OSSL_STORE_INFO_PKEY));
  EXPECT_THAT(by_alias("pkcs11:token=web;object=ec;type=private", "ec"), ElementsAre(OSSL_STORE_INFO_PKEY));
  EXPECT_THAT(by_alias("keystay:", "ec"), ElementsAre(OSSL_STORE_INFO_PKEY));
  EXPECT_THAT(by_alias("pkcs11:token=web", "absent"), ElementsAre());
  EXPECT_THAT(by_alias("pkcs11:token=web;object=rsa", "ec"), ElementsAre());

  const std::array<unsigned char, 20> digest{};
  EXPECT_THAT(found_by(context_, "pkcs11:token=web",
                       OSSL_STORE_SEARCH_by_key_fingerprint(EVP_sha1(), digest.data(), digest.size())),
              ElementsAre(-1));
  EXPECT_THAT(take_errors(), HasSubstr("fingerprint"));
}

// As -alias of keystay, the keystay: URIs and Java's key stores find it.
TEST_F(StoreTest, ASearchByAliasKnowsEveryFormOfAName) {
  for (const char* id : {"71", "72"})
    token().pkcs11_tool({"--keypairgen", "--key-type", "EC:prime256v1", "--label", "twin", "--id", id});
  const auto by_alias = [&](const char* name, const char* alias) {
    return found_by(context_, name, OSSL_STORE_SEARCH_by_alias(alias));
  };
  token().pkcs11_tool({"--keypairgen", "--key-type", "EC:prime256v1", "--label", "Solo", "--id", "70"});
  for (const char* alias : {"SOLO", "solo", "Solo", "id:70", "ID:70"}) {
    for (const char* uri : {"pkcs11:token=web", "pkcs11:token=web;object=Solo;type=private",
                            "keystay:", "keystay:Solo", "keystay:SOLO"})
      EXPECT_THAT(by_alias(uri, alias), ElementsAre(OSSL_STORE_INFO_PKEY)) << uri << " " << alias;
    for (const char* uri : {"pkcs11:token=web;object=rsa", "pkcs11:token=web;id=%71", "keystay:rsa"})
      EXPECT_THAT(by_alias(uri, alias), ElementsAre()) << uri << " " << alias;
  }
  for (const char* alias : {"twin#2", "id:72", "TWIN#2"})
    EXPECT_THAT(by_alias("pkcs11:token=web", alias), ElementsAre(OSSL_STORE_INFO_PKEY)) << alias;
  EXPECT_THAT(by_alias("pkcs11:token=web", "twin"), ElementsAre());
  EXPECT_THAT(take_errors(), HasSubstr("matches several private keys"));
  for (const char* type : {"privkey", "pubkey"}) {
    for (const char* made : {"70", "71", "72"})
      token().pkcs11_tool({"--delete-object", "--type", type, "--id", made});
  }
}

TEST_F(StoreTest, ASearchByIssuerAndSerialNumberFindsThatCertificate) {
  const TestCa ca;
  const auto identity = ca.issue(KeyKind::ec);
  const auto pem = token().directory().write("by-serial.pem", identity.chain_pem);
  const auto der = token().directory().path() / "by-serial.der";
  run_or_throw({"openssl", "x509", "-in", pem, "-outform", "DER", "-out", der});
  token().pkcs11_tool({"--write-object", der, "--type", "cert", "--label", "peer", "--id", "77"});
  const std::string bytes = read_file(der);
  const auto* in = reinterpret_cast<const unsigned char*>(bytes.data());
  const Owned<X509, X509_free> certificate(d2i_X509(nullptr, &in, static_cast<long>(bytes.size())));
  ASSERT_TRUE(certificate);
  const auto find = [&](const ASN1_INTEGER* serial) {
    return found_by(context_, "pkcs11:token=web",
                    OSSL_STORE_SEARCH_by_issuer_serial(X509_get_issuer_name(certificate.get()), serial));
  };
  EXPECT_THAT(find(X509_get0_serialNumber(certificate.get())), ElementsAre(OSSL_STORE_INFO_CERT));
  const Owned<ASN1_INTEGER, ASN1_INTEGER_free> other(ASN1_INTEGER_new());
  ASSERT_EQ(ASN1_INTEGER_set(other.get(), 4711), 1);
  EXPECT_THAT(find(other.get()), ElementsAre());
  token().pkcs11_tool({"--delete-object", "--type", "cert", "--label", "peer"});
}

TEST_F(StoreTest, AnErrorIsTheEnd) {
  const Store store = open("keystay:nobody");
  EXPECT_EQ(OSSL_STORE_eof(store.get()), 0);
  EXPECT_EQ(OSSL_STORE_load(store.get()), nullptr);
  EXPECT_EQ(OSSL_STORE_error(store.get()), 1);
  EXPECT_EQ(OSSL_STORE_eof(store.get()), 1);
  EXPECT_EQ(OSSL_STORE_load(store.get()), nullptr);
  EXPECT_THAT(take_errors(), HasSubstr("token \"web\" has no key \"nobody\""));
}

// Pitfalls 17, 72.
TEST_F(StoreTest, TwoKeysThatMatchAreAnError) {
  for (const char* id : {"0a", "0b"}) {
    token().pkcs11_tool({"--keypairgen", "--key-type", "EC:prime256v1", "--label", "twin", "--id", id});
  }
  EXPECT_FALSE(context_.load(uri(";object=twin")));
  EXPECT_THAT(take_errors(), HasSubstr("twin"));
  EXPECT_TRUE(context_.load(uri(";object=twin;id=%0b"))) << take_errors();
}

// Its neighbour has the name without the blank.
TEST_F(StoreTest, AUriNeverNamesAnotherKeyThanItSays) {
  for (const auto& [label, id] : {std::pair("mykey", "51"), std::pair("my key", "52")}) {
    token().pkcs11_tool({"--keypairgen", "--key-type", "EC:prime256v1", "--label", label, "--id", id});
  }
  const EvpPkey named = context_.load(uri(";object=my%20key"));
  ASSERT_TRUE(named) << take_errors();
  EXPECT_EQ(EVP_PKEY_eq(named.get(), public_key("my key").get()), 1);
  EXPECT_EQ(context_.load(uri(";object=mykey;object=ec")), nullptr);
  EXPECT_THAT(take_errors(), AllOf(HasSubstr("unusable key reference"), HasSubstr("twice")));
  for (const std::string& wrong :
       {uri(";object=my key"), uri(";object= mykey"), std::string("keystay:my key")}) {
    EXPECT_EQ(context_.load(wrong), nullptr) << wrong;
    EXPECT_THAT(take_errors(), AllOf(HasSubstr("unusable key reference"), HasSubstr("URI"),
                                     HasSubstr("character"), Not(HasSubstr("token refused"))));
  }
}

TEST_F(StoreTest, AUriOfAnotherTypeThanIsWantedIsToldByItsType) {
  for (const char* type : {"cert", "public", "secret-key", "data"}) {
    EXPECT_FALSE(context_.load(uri(";object=ec;type=") + type));
    EXPECT_THAT(take_errors(), AllOf(HasSubstr("a private key is wanted"),
                                     HasSubstr("type=" + std::string(type)), HasSubstr("type=private")));
  }
  EXPECT_FALSE(context_.load(uri(";object=ec;type=private"), OSSL_STORE_INFO_PUBKEY));
  EXPECT_THAT(take_errors(), AllOf(HasSubstr("a public key is wanted"), HasSubstr("write type=public")));
  EXPECT_THAT(list(uri(";object=ec;type=private"), OSSL_STORE_INFO_CERT), ElementsAre());
  EXPECT_THAT(take_errors(), AllOf(HasSubstr("a certificate is wanted"), HasSubstr("write type=cert")));
  EXPECT_THAT(list(uri(";object=ec;type=secret-key")), ElementsAre());
  EXPECT_THAT(take_errors(), HasSubstr("the URI says type=secret-key"));
}

TEST_F(StoreTest, AKeyThatIsNotThereIsNamedByAllThatTheUriStates) {
  EXPECT_FALSE(context_.load(uri(";id=%01;object=ec")));
  EXPECT_THAT(take_errors(), HasSubstr("no key with both CKA_ID 01 and CKA_LABEL \"ec\""));
  EXPECT_FALSE(context_.load(uri(";id=%7E%00")));
  EXPECT_THAT(take_errors(), HasSubstr("no key with CKA_ID 7e00;"));
}

TEST_F(StoreTest, AUriThatNamesNoKeyChoosesNone) {
  EXPECT_FALSE(context_.load(uri("")));
  EXPECT_THAT(take_errors(), AllOf(HasSubstr("names none of them"), HasSubstr("object=")));
  for (const char* empty : {"keystay:", "keystay:web/"}) {
    EXPECT_FALSE(context_.load(empty));
    EXPECT_THAT(take_errors(), AllOf(HasSubstr("write an alias behind it"), Not(HasSubstr("object="))));
  }
  EXPECT_GE(list(uri("")).size(), 2u);  // but it lists them
}

TEST_F(StoreTest, AnAliasThatIsDeactivatedIsNeitherLoadedNorListed) {
  const std::size_t listed = list(uri("")).size();
  for (const auto& [label, id] : {std::pair("deactivated-mail", "77"), std::pair("version-1-mail", "78")}) {
    token().pkcs11_tool(
        {"--keypairgen", "--key-type", "EC:prime256v1", "--label", label, "--id", id, "--usage-sign"});
  }
  for (const std::string& name :
       {std::string("keystay:deactivated-mail"), uri(";object=deactivated-mail"), uri(";id=%77")}) {
    EXPECT_FALSE(context_.load(name)) << name;
    EXPECT_THAT(take_errors(), HasSubstr("alias \"mail\" is deactivated on token \"web\"")) << name;
  }
  EXPECT_FALSE(context_.load("keystay:mail"));
  EXPECT_THAT(take_errors(), HasSubstr("no key"));
  EXPECT_EQ(list(uri("")).size(), listed);
}

TEST_F(StoreTest, UnknownAttributesTokensAndAliasesAreRefused) {
  EXPECT_FALSE(context_.load(uri(";object=ec;x-colour=blue")));
  EXPECT_THAT(take_errors(), HasSubstr("attribute"));
  EXPECT_FALSE(context_.load("pkcs11:token=elsewhere;object=ec"));
  EXPECT_THAT(take_errors(), HasSubstr("elsewhere"));
  EXPECT_FALSE(context_.load("keystay:elsewhere/ec"));
  EXPECT_THAT(take_errors(), HasSubstr("elsewhere"));
}

TEST_F(StoreTest, WithoutALoginTheErrorOfAMissingKeySaysSo) {
  const std::string text = "[token.web]\nmodule = \"" + token().module().string() + "\"\nlabel = \"web\"\n";
  setenv("KEYSTAY_CONF", token().directory().write("no-pin.toml", text).c_str(), 1);
  faults().forget_initialize();  // nobody is logged in
  EXPECT_FALSE(context_.load("keystay:ec"));
  EXPECT_THAT(take_errors(), HasSubstr("no `pin` is configured"));
  EXPECT_FALSE(context_.read_pem(bare_reference("ec")));
  EXPECT_THAT(take_errors(), HasSubstr("no `pin` is configured"));
}

TEST_F(StoreTest, ABrokenConfigurationIsNamedAndReadAgain) {
  const auto good = read_file(token().write_configuration());
  const auto file = token().directory().write("keystay.toml", "[token.web]\nmodul = 1\n");
  EXPECT_FALSE(context_.load("keystay:ec"));
  EXPECT_THAT(take_errors(), HasSubstr(file.string() + ":2"));
  token().directory().write("keystay.toml", good);
  EXPECT_TRUE(context_.load("keystay:ec")) << take_errors();
}

// Pitfall 24 and 30: several contexts, each with its own instance.
TEST_F(StoreTest, ManyContextsLoadAndSignBesideEachOther) {
  const auto message = bytes_of("many contexts");
  for (int round = 0; round < 20; ++round) {
    const LibraryContext one;
    const LibraryContext other(Order::keystay_first);
    const EvpPkey first = one.load("keystay:ec");
    const EvpPkey second = other.load("keystay:ec");
    ASSERT_TRUE(first && second) << take_errors();
    EXPECT_TRUE(sign(one, first.get(), "SHA256", message)) << take_errors();
    EXPECT_TRUE(sign(other, second.get(), "SHA256", message)) << take_errors();
    EXPECT_EQ(EVP_PKEY_eq(first.get(), second.get()), 1);
  }
}

// RFC 7512: everything in the URI, and no configuration at all.
TEST_F(StoreTest, AUriWithItsModuleNeedsNoConfiguration) {
  setenv("KEYSTAY_CONF", token().directory().write("empty.toml", "").c_str(), 1);
  const LibraryContext context;
  const EvpPkey key = context.load("pkcs11:token=web;object=ec?module-path=" + token().module().string() +
                                   "&pin-source=file:" + token().pin_file().string());
  ASSERT_TRUE(key) << take_errors();
  EXPECT_TRUE(sign(context, key.get(), "SHA256", bytes_of("x"))) << take_errors();
}

}  // namespace
}  // namespace keystay::test
