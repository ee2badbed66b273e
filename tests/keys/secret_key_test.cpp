// Secret keys are aliases as key pairs are: one space of names, made whole or not at all, never out of the
// token, and of use to other programs that read the standard.
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "native/keys/alias_state.h"
#include "native/keys/alias_store.h"
#include "native/keys/secret_key_use.h"
#include "native/pkcs11/text.h"
#include "native/x509/certificate_bundle.h"
#include "native/x509/openssl_types.h"
#include "tests/keys/key_store_test.h"

namespace keystay::keys {
namespace {

using pkcs11::ByteView;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

struct FreeCipher {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};

Bytes hmac_sha256(ByteView key, ByteView message) {
  Bytes mac(32);
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), message.data(), message.size(), mac.data(),
       nullptr);
  return mac;
}

// RFC 3394 by libcrypto.
Bytes wrapped_by_libcrypto(const Bytes& key, const Bytes& secret) {
  const std::unique_ptr<EVP_CIPHER_CTX, FreeCipher> context(EVP_CIPHER_CTX_new());
  EVP_CIPHER_CTX_set_flags(context.get(), EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
  EXPECT_EQ(EVP_EncryptInit_ex(context.get(), EVP_aes_256_wrap(), nullptr, key.data(), nullptr), 1);
  Bytes wrapped(secret.size() + 16);
  int size = 0;
  EXPECT_EQ(
      EVP_EncryptUpdate(context.get(), wrapped.data(), &size, secret.data(), static_cast<int>(secret.size())),
      1);
  wrapped.resize(static_cast<std::size_t>(size));
  return wrapped;
}

class SecretKeys : public KeyStoreTest {
 protected:
  SecretKey make(const std::string& alias, const SecretKeySpec& spec = AesSpec{256}) {
    return aliases_.generate(alias, spec);
  }
  SecretKey import_key(const std::string& alias, const SecretKeySpec& spec, const Bytes& value) {
    return aliases_.import_key(alias, SoftwareSecretKey{spec, value});
  }
  Bytes perform(const SecretKey& key, const pkcs11::Operation& operation, const Bytes& data,
                std::size_t room) {
    Bytes result(room);
    auto operations = store_.source().operations();
    result.resize(operations->perform(key.reference, operation, data, result, operations->deadline()));
    return result;
  }
  std::vector<std::string> names() {
    std::vector<std::string> names;
    for (const SecretKey& key : aliases_.list().secret_keys) names.push_back(key.alias);
    return names;
  }
  std::string told_by_pkcs11_tool() const {
    return hsm_.pkcs11_tool({"--list-objects", "--type", "secrkey"});
  }
  Certificate root() const { return x509::read_certificates(ca_.root_pem()).front(); }
  void expect_refused(const std::string& what, const std::function<void()>& body) {
    const std::optional<Error> error = error_of(body);
    ASSERT_TRUE(error) << what;
    EXPECT_EQ(error->error_class(), ErrorClass::client);
    EXPECT_THAT(error->what(), HasSubstr(what));
  }

  KeptFile file_ = KeptFile::of_token("");
  AliasStore aliases_{store_, file_};
};

TEST_F(SecretKeys, AreMadeInTheTokenAndNeverLeaveIt) {
  struct Kind {
    const char* algorithm;
    unsigned asked;
    unsigned size;
    CK_KEY_TYPE type;
  };
  for (const Kind& kind :
       {Kind{"AES", 0, 256, CKK_AES}, Kind{"aes", 128, 128, CKK_AES}, Kind{"AES", 192, 192, CKK_AES},
        Kind{"HmacSHA1", 0, 160, CKK_GENERIC_SECRET}, Kind{"HmacSHA256", 0, 256, CKK_GENERIC_SECRET},
        Kind{"hmacsha512", 384, 384, CKK_GENERIC_SECRET}}) {
    SCOPED_TRACE(kind.algorithm);
    const SecretKey made = make("data", secret_key_spec(kind.algorithm, kind.asked));
    EXPECT_EQ(made.alias, "data");
    EXPECT_EQ(made.size, kind.size);
    EXPECT_EQ(made.reference.type(), kind.type);
    EXPECT_THAT(made.reference.id(), SizeIs(20));
    EXPECT_TRUE(pkcs11::equal_ignoring_case(algorithm_of(made), kind.algorithm)) << algorithm_of(made);
    EXPECT_THAT(told_by_pkcs11_tool(), AllOf(HasSubstr("label:      data"), HasSubstr("never extractable"),
                                             HasSubstr("always sensitive"), HasSubstr("local")));
    aliases_.remove("data");
    EXPECT_THAT(told_by_pkcs11_tool(), Not(HasSubstr("label")));
  }
}

TEST_F(SecretKeys, OfOtherSizesAndAlgorithmsAreRefusedBeforeTheTokenIsUsed) {
  for (const auto& [algorithm, size] :
       {std::pair{"AES", 129U}, std::pair{"AES", 512U}, std::pair{"DES", 56U}, std::pair{"HmacSHA256", 8U},
        std::pair{"HmacSHA256", 255U}, std::pair{"HmacMD5", 0U}, std::pair{"", 0U}})
    EXPECT_TRUE(error_of([&] { static_cast<void>(secret_key_spec(algorithm, size)); })) << algorithm << size;
}

TEST_F(SecretKeys, ShareTheNamesOfKeyPairsAndCertificates) {
  make("Data");
  generate("httpd");
  aliases_.add_trusted("root", root());
  aliases_.rename("httpd", "web");
  const std::string before = told_by_pkcs11_tool();
  const auto inventory_before = inventory();
  for (const char* name : {"Data", "data"}) {
    expect_refused("already exists as a secret key", [&] { generate(name); });
    expect_refused("already exists as a secret key", [&] { aliases_.rename("web", name); });
    expect_refused("already exists as a secret key", [&] { aliases_.add_trusted(name, root()); });
    expect_refused("already exists as a secret key", [&] { make(name); });
  }
  for (const char* name : {"web", "WEB", "root"}) {
    expect_refused("already exists", [&] { make(name); });
    expect_refused("already exists", [&] { aliases_.rename("Data", name); });
  }
  expect_refused("cannot be an alias", [&] { make("issuer-1"); });
  EXPECT_EQ(told_by_pkcs11_tool(), before);
  EXPECT_EQ(inventory(), inventory_before);
}

TEST_F(SecretKeys, AreListedFoundRenamedAndDeleted) {
  make("one");
  make("two", secret_key_spec("HmacSHA256", 0));
  generate("pair");
  EXPECT_THAT(names(), ElementsAre("one", "two"));
  EXPECT_THAT(aliases_.list().entries, SizeIs(1));
  EXPECT_EQ(aliases_.require_secret_key("ONE").alias, "one") << "in any letter case, as Java names it";
  aliases_.rename("one", "a name that is longer");
  EXPECT_THAT(names(), ElementsAre("a name that is longer", "two"));
  aliases_.rename("two", "Two");
  expect_refused("does not exist", [&] { aliases_.remove("one"); });
  aliases_.remove("Two");
  EXPECT_THAT(names(), ElementsAre("a name that is longer"));
  expect_refused("no key pair", [&] { static_cast<void>(aliases_.require_key("a name that is longer")); });
  expect_refused("is a key pair", [&] { static_cast<void>(aliases_.require_secret_key("pair")); });
  EXPECT_TRUE(store_.find("pair"));
}

TEST_F(SecretKeys, OfOtherHandsAreListedUnlessTheyOnlyWrap) {
  hsm_.pkcs11_tool({"--keygen", "--key-type", "AES:32", "--label", "theirs", "--id", "77"});
  hsm_.pkcs11_tool({"--keygen", "--key-type", "GENERIC:32", "--label", "mac", "--usage-sign"});
  store_.source().with_rw_session([](pkcs11::Session& session) {
    pkcs11::Template key;
    key.flag(CKA_TOKEN, true)
        .flag(CKA_WRAP, true)
        .flag(CKA_UNWRAP, true)
        .flag(CKA_ENCRYPT, false)
        .flag(CKA_DECRYPT, false)
        .number(CKA_VALUE_LEN, 32)
        .text(CKA_LABEL, "wrapping");
    session.generate_key(CKM_AES_KEY_GEN, std::move(key));
  });
  EXPECT_THAT(names(), ElementsAre("mac", "theirs"));
  expect_refused("already exists", [&] { make("wrapping"); });
  expect_refused("does not exist", [&] { aliases_.remove("wrapping"); });
  EXPECT_EQ(aliases_.require_secret_key("id:77").alias, "theirs");
}

// A server that signs by the name does not notice; what would destroy one of the two wants to know which.
TEST_F(SecretKeys, GiveWayToAPrivateKeyThatHasTheName) {
  const Entry pair = generate("httpd");
  hsm_.pkcs11_tool({"--keygen", "--key-type", "AES:32", "--label", "httpd", "--id", "77"});
  const std::optional<Entry> found = store_.find("httpd");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->key.public_key(), pair.key.public_key());
  EXPECT_THAT(names(), ElementsAre("httpd#2"));
  EXPECT_TRUE(aliases_.require_key("httpd").alias == "httpd");
  expect_refused("matches several things", [&] { aliases_.remove("httpd"); });
  aliases_.remove("id:77");
  EXPECT_THAT(names(), IsEmpty());
  EXPECT_TRUE(store_.find("httpd"));
}

TEST_F(SecretKeys, AreNotUsedWhileDeactivated) {
  const SecretKey key = make("data", secret_key_spec("HmacSHA256", 0));
  perform(key, pkcs11::Mac{pkcs11::Hash::sha256}, bytes("x"), 32);
  aliases_.rename("data", deactivated_label("data"));
  store_.source().renew_sessions();
  expect_refused("deactivated", [&] { perform(key, pkcs11::Mac{pkcs11::Hash::sha256}, bytes("x"), 32); });
  expect_refused("is deactivated", [&] { static_cast<void>(aliases_.require_secret_key("data")); });
  expect_refused("already exists", [&] { generate("data"); });
  aliases_.rename(deactivated_label("data"), "data");
  EXPECT_THAT(perform(key, pkcs11::Mac{pkcs11::Hash::sha256}, bytes("x"), 32), SizeIs(32));
}

TEST_F(SecretKeys, MakeTheMacsThatLibcryptoMakes) {
  const Bytes value(32, 0x5A);
  const SecretKey key = import_key("mac", secret_key_spec("HmacSHA256", 256), value);
  for (const std::size_t size : {std::size_t{1}, std::size_t{64}, std::size_t{100'000}}) {
    Bytes message(size, 0x42);
    EXPECT_EQ(perform(key, pkcs11::Mac{pkcs11::Hash::sha256}, message, 32), hmac_sha256(value, message));
    const auto rewind = [&] {
      return NextPart([&, at = std::size_t{0}]() mutable -> ByteView {
        const std::size_t part = std::min<std::size_t>(size - at, 4096);
        at += part;
        return ByteView(message).subspan(at - part, part);
      });
    };
    EXPECT_EQ(mac(store_.source(), key, pkcs11::Hash::sha256, rewind), hmac_sha256(value, message));
  }
  EXPECT_EQ(mac(store_.source(), key, pkcs11::Hash::sha256, [] { return [] { return ByteView(); }; }),
            hmac_sha256(value, {}))
      << "of nothing";
  expect_refused("CKA_ALLOWED_MECHANISMS",
                 [&] { perform(key, pkcs11::Mac{pkcs11::Hash::sha512}, bytes("x"), 64); });
}

TEST_F(SecretKeys, EncryptAndTellACiphertextThatWasChanged) {
  const SecretKey key = make("data");
  const pkcs11::AesGcm parameters{Bytes(12, 7), bytes("what is not encrypted"), 128};
  for (const std::size_t size : {std::size_t{1}, std::size_t{16}, std::size_t{1000}}) {
    const Bytes plain(size, 0x33);
    Bytes cipher = perform(key, pkcs11::EncryptAesGcm{parameters}, plain, size + 16);
    ASSERT_THAT(cipher, SizeIs(size + 16));
    EXPECT_EQ(perform(key, pkcs11::DecryptAesGcm{parameters}, cipher, size + 16), plain);
    cipher.back() ^= 1;
    faults_.reset_calls();
    expect_refused("the ciphertext, its tag",
                   [&] { perform(key, pkcs11::DecryptAesGcm{parameters}, cipher, size + 16); });
    EXPECT_EQ(faults_.calls(Function::C_Decrypt), 1U) << "nothing is repaired, nor tried again";
  }
}

TEST_F(SecretKeys, WrapAsRfc3394Has) {
  const Bytes value(32, 0x11);
  const SecretKey key = import_key("kek", AesSpec{256}, value);
  const Bytes secret(32, 0x22);
  const Bytes wrapped = perform(key, pkcs11::WrapSecret{}, secret, 40);
  EXPECT_EQ(wrapped, wrapped_by_libcrypto(value, secret));
  EXPECT_EQ(perform(key, pkcs11::UnwrapSecret{}, wrapped, 32), secret);
  const SecretKey other = make("other");
  faults_.reset_calls();
  EXPECT_TRUE(error_of([&] { perform(other, pkcs11::UnwrapSecret{}, wrapped, 32); }));
  EXPECT_EQ(faults_.calls(Function::C_UnwrapKey), 1U);
}

TEST_F(SecretKeys, OfWhichTheTokenSaysThatTheyWereMadeElsewhereAreSealedAllTheSame) {
  import_key("data", AesSpec{128}, Bytes(16, 1));
  EXPECT_THAT(told_by_pkcs11_tool(),
              AllOf(HasSubstr("sensitive"), Not(HasSubstr("never extractable")), Not(HasSubstr("local"))));
  expect_refused("17 bytes", [&] { import_key("other", AesSpec{128}, Bytes(17, 1)); });
  EXPECT_THAT(names(), ElementsAre("data"));
}

TEST_F(SecretKeys, OfAnInterruptedCommandAreUnfinishedAndCanBeRemoved) {
  const SecretKey unfinished = store_.generate_unfinished(SecretKeySpec{AesSpec{256}});
  const Listing listing = store_.list();
  EXPECT_THAT(listing.secret_keys, IsEmpty());
  ASSERT_THAT(listing.unfinished, SizeIs(1));
  EXPECT_EQ(listing.unfinished.front().label, unfinished.reference.label());
  store_.remove_unfinished(listing.unfinished);
  EXPECT_THAT(told_by_pkcs11_tool(), Not(HasSubstr("label")));
}

// Whichever call fails. What a token that fails keeps is unfinished.
TEST_F(SecretKeys, AreMadeWholeOrNotAtAll) {
  make("first");
  const std::string before = told_by_pkcs11_tool();
  for (const Function function : {Function::C_GenerateKey, Function::C_SetAttributeValue,
                                  Function::C_FindObjectsInit, Function::C_GetAttributeValue}) {
    for (int passes = 0; passes < 6; ++passes) {
      faults_.fail_after(passes, function, CKR_DEVICE_ERROR);
      const auto error = error_of([&] { make("data"); });
      faults_.reset();
      if (error) {
        EXPECT_THAT(names(), ElementsAre("first")) << "after call " << passes;
        store_.remove_unfinished(store_.list().unfinished);
        EXPECT_EQ(told_by_pkcs11_tool(), before) << "after call " << passes;
      } else {
        aliases_.remove("data");
      }
    }
  }
}

TEST_F(SecretKeys, AreFoundByTwoSearchesAmongOthersAndUsedByTwoCalls) {
  const SecretKey key = make("data", secret_key_spec("HmacSHA256", 0));
  for (int i = 0; i < 5; ++i) generate("other" + std::to_string(i));
  faults_.reset_calls();
  const SecretKey found = aliases_.require_secret_key("data");
  EXPECT_EQ(found.reference.id(), key.reference.id());
  EXPECT_EQ(faults_.calls(Function::C_FindObjectsInit), 2U);
  perform(found, pkcs11::Mac{pkcs11::Hash::sha256}, bytes("x"), 32);
  faults_.reset_calls();
  perform(found, pkcs11::Mac{pkcs11::Hash::sha256}, bytes("x"), 32);
  EXPECT_EQ(faults_.calls(), 2U);
}

}  // namespace
}  // namespace keystay::keys
