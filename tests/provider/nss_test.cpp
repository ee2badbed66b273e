// NSS softokn as the token: what was SoftHSM's habit and not the standard's would fail here.
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/provider/signing.h"
#include "tests/provider/tls_connection.h"
#include "tests/support/nss_token.h"
#include "tests/support/test_ca.h"

namespace keystay::test {
namespace {

using pkcs11::Bytes;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

const Bytes kMessage{'s', 'o', 'f', 't', 'o', 'k', 'n'};

// A module starts once in a process, so all suites here have one database, with the keys "rsa" and "ec", made
// by the command-line tool, and "native", made by certutil.
class NssTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (token_ || !NssToken::missing().empty()) return;
    token_ = std::make_unique<NssToken>();
    configuration_ = token_->write_configuration();
    make_key("rsa", "RSA");
    make_key("ec", "EC");
    token_->make_native_key("native");
  }

  void SetUp() override {
    if (!token_) GTEST_SKIP() << NssToken::missing();
    setenv("KEYSTAY_CONF", configuration_.c_str(), 1);
    ERR_clear_error();
  }
  void TearDown() override { EXPECT_EQ(take_errors(), ""); }

  static Outcome keystay(const Arguments& arguments, Environment environment = {}) {
    Arguments command{KEYSTAY_PROGRAM};
    command.insert(command.end(), arguments.begin(), arguments.end());
    environment.try_emplace("KEYSTAY_CONF", configuration_);
    return run(command, {.environment = environment});
  }
  static void make_key(const std::string& alias, const std::string& algorithm) {
    const Outcome made =
        keystay({"-genkeypair", "-alias", alias, "-keyalg", algorithm, "-dname", "CN=" + alias});
    EXPECT_TRUE(made.ok()) << made;
  }
  // The same token, with other lines in its configuration.
  static Outcome list_with(const std::string& old_text, const std::string& new_text) {
    std::string text = read_file(configuration_);
    text.replace(text.find(old_text), old_text.size(), new_text);
    return keystay({"-list"}, {{"KEYSTAY_CONF", token_->directory().write("other.toml", text)}});
  }

  static X509Certificate certificate(const std::string& alias) {
    const std::string pem = token_->certutil({"-L", "-n", alias, "-a"});
    const Owned<BIO, BIO_free> text(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
    return X509Certificate(PEM_read_bio_X509(text.get(), nullptr, nullptr, nullptr));
  }

  [[nodiscard]] bool signs(const std::string& name, const std::string& alias) const {
    const EvpPkey key = context_.load(name);
    return key && signs_with(key, alias);
  }
  // Checked by another hand's certificate.
  [[nodiscard]] bool signs_with(const EvpPkey& key, const std::string& alias,
                                const Configure& configure = {}) const {
    const auto signature = sign(context_, key.get(), "SHA256", kMessage, configure);
    const EvpPkey public_key(X509_get_pubkey(certificate(alias).get()));
    return signature && verifies(public_key.get(), "SHA256", kMessage, *signature, configure);
  }

  // After the last test, and before the process ends.
  struct End final : testing::Environment {
    void TearDown() override { token_.reset(); }
  };

  static std::unique_ptr<NssToken> token_;
  static std::string configuration_;
  static testing::Environment* const end_;
  LibraryContext context_;
};

std::unique_ptr<NssToken> NssTest::token_;
std::string NssTest::configuration_;
testing::Environment* const NssTest::end_ = testing::AddGlobalTestEnvironment(new End);

TEST_F(NssTest, KeysSignByAliasAndUri) {
  for (const std::string alias : {"rsa", "ec"}) {
    EXPECT_TRUE(signs("keystay:" + alias, alias)) << alias << take_errors();
    EXPECT_TRUE(signs("pkcs11:token=NSS%20Certificate%20DB;object=" + alias + ";type=private", alias))
        << alias << take_errors();
  }
  EXPECT_TRUE(signs_with(context_.load("keystay:rsa"), "rsa", pss(32))) << take_errors();
}

// The module's arguments are those that the configuration has for it.
TEST_F(NssTest, AUriWithAModulePathFindsTheDatabase) {
  EXPECT_TRUE(
      signs("pkcs11:token=NSS%20Certificate%20DB;object=ec?module-path=" + NssToken::module().string(), "ec"))
      << take_errors();
}

// certutil leaves the private key without label and public key object, and names the certificate.
TEST_F(NssTest, AKeyOfCertutilIsNamedByItsCertificate) {
  const Outcome listed = keystay({"-list"});
  EXPECT_THAT(listed.output, HasSubstr("\nnative, ")) << listed;
  EXPECT_TRUE(signs("keystay:native", "native")) << take_errors();
}

TEST_F(NssTest, AReplyOfACaTakesThePlaceOfTheCertificate) {
  make_key("renewed", "EC");
  const TestCa ca;
  const Outcome request = keystay({"-certreq", "-alias", "renewed"});
  const auto reply = token_->directory().write("reply.pem", ca.sign_with_chain(request.output));
  const Outcome imported = keystay({"-importcert", "-alias", "renewed", "-file", reply, "-noprompt"});
  EXPECT_TRUE(imported.ok()) << imported;
  const Outcome listed = keystay({"-list", "-alias", "renewed", "-v"});
  EXPECT_THAT(listed.output, HasSubstr("Certificate chain length: 2")) << listed;
  EXPECT_TRUE(signs("keystay:renewed", "renewed")) << take_errors();

  EXPECT_TRUE(keystay({"-changealias", "-alias", "renewed", "-destalias", "other"}).ok());
  EXPECT_TRUE(signs("keystay:other", "other")) << take_errors();
  const Outcome deleted = keystay({"-delete", "-alias", "other"});
  EXPECT_TRUE(deleted.ok()) << deleted;
  EXPECT_THAT(token_->certutil({"-K"}), Not(HasSubstr("other")));
}

TEST_F(NssTest, ServesHandshakes) {
  for (const std::string alias : {"rsa", "ec"}) {
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
      const SslContext server(SSL_CTX_new_ex(context_.get(), nullptr, TLS_server_method()));
      const SslContext client(SSL_CTX_new_ex(context_.get(), nullptr, TLS_client_method()));
      SSL_CTX_set_max_proto_version(server.get(), version);
      ASSERT_EQ(SSL_CTX_use_certificate(server.get(), certificate(alias).get()), 1);
      ASSERT_EQ(SSL_CTX_use_PrivateKey(server.get(), context_.load("keystay:" + alias).get()), 1)
          << take_errors();
      Connection connection(server.get(), client.get());
      while (!connection.done()) ASSERT_TRUE(connection.step()) << alias << take_errors();
    }
  }
}

// softokn tries a new key: what its public half may encrypt, its private half must decrypt.
TEST_F(NssTest, KeysThatEvpGeneratesDecryptAndAgree) {
  for (const auto& [algorithm, usage] :
       {std::pair("RSA", "keyEncipherment"), std::pair("EC", "keyAgreement")}) {
    const EvpPkeyContext generation(
        EVP_PKEY_CTX_new_from_name(context_.get(), algorithm, "provider=keystay"));
    ASSERT_EQ(EVP_PKEY_keygen_init(generation.get()), 1);
    const std::string uri = std::string("keystay:made-") + algorithm;
    ASSERT_EQ(EVP_PKEY_CTX_ctrl_str(generation.get(), "pkcs11_uri", uri.c_str()), 1) << take_errors();
    ASSERT_EQ(EVP_PKEY_CTX_ctrl_str(generation.get(), "pkcs11_key_usage", usage), 1) << take_errors();
    if (algorithm == std::string("EC")) EVP_PKEY_CTX_set_group_name(generation.get(), "P-256");
    EVP_PKEY* made = nullptr;
    ASSERT_EQ(EVP_PKEY_generate(generation.get(), &made), 1) << algorithm << take_errors();
    const EvpPkey key(made);
    const EvpPkeyContext use(EVP_PKEY_CTX_new_from_pkey(context_.get(), key.get(), nullptr));
    Bytes result(512);
    std::size_t size = result.size();
    if (algorithm == std::string("EC")) {
      const EvpPkey peer(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"));
      ASSERT_EQ(EVP_PKEY_derive_init(use.get()), 1);
      ASSERT_EQ(EVP_PKEY_derive_set_peer(use.get(), peer.get()), 1) << take_errors();
      EXPECT_EQ(EVP_PKEY_derive(use.get(), result.data(), &size), 1) << take_errors();
    } else {
      Bytes ciphertext(512);
      std::size_t length = ciphertext.size();
      ASSERT_EQ(EVP_PKEY_encrypt_init(use.get()), 1);
      ASSERT_EQ(EVP_PKEY_encrypt(use.get(), ciphertext.data(), &length, kMessage.data(), kMessage.size()), 1);
      ASSERT_EQ(EVP_PKEY_decrypt_init(use.get()), 1);
      ASSERT_EQ(EVP_PKEY_decrypt(use.get(), result.data(), &size, ciphertext.data(), length), 1)
          << take_errors();
      result.resize(size);
      EXPECT_EQ(result, kMessage);
    }
  }
}

TEST_F(NssTest, ManyThreadsSign) {
  const EvpPkey key = context_.load("keystay:ec");
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < 20; ++j)
        EXPECT_TRUE(sign(context_, key.get(), "SHA256", kMessage)) << take_errors();
    });
  }
  for (std::thread& thread : threads) thread.join();
}

// softokn refuses every call of a child but C_Initialize, which wants the arguments once more.
TEST_F(NssTest, WorkersOfAMasterThatHasSignedSignToo) {
  const EvpPkey key = context_.load("keystay:ec");
  ASSERT_TRUE(signs_with(key, "ec")) << take_errors();
  for (int worker = 0; worker < 2; ++worker) {
    const pid_t child = fork();
    if (child == 0) {
      const bool good = sign(context_, key.get(), "SHA256", kMessage).has_value();
      if (!good) std::fprintf(stderr, "%s", take_errors().c_str());
      _exit(good ? 0 : 1);
    }
    int status = 0;
    waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
  }
  EXPECT_TRUE(signs_with(key, "ec")) << take_errors();
}

TEST_F(NssTest, AModuleThatSomebodyFinalizedStartsAgainWithItsArguments) {
  const EvpPkey key = context_.load("keystay:rsa");
  ASSERT_TRUE(signs_with(key, "rsa")) << take_errors();
  NssToken::finalize();
  EXPECT_TRUE(signs_with(key, "rsa")) << take_errors();
}

// The quotes of the arguments are libcrypto's to take away, unless they are escaped.
TEST_F(NssTest, AnOpensslCnfOfPkcs11ProviderNamesTheDatabase) {
  const std::string database = (token_->directory().path() / "db").string();
  const auto cnf = token_->directory().write(
      "pkcs11.cnf",
      "openssl_conf = init\n[init]\nproviders = providers\n[providers]\ndefault = default_sect\npkcs11 = "
      "pkcs11_sect\n"
      "[default_sect]\nactivate = 1\n[pkcs11_sect]\nactivate = 1\nmodule = " +
          provider_path() + "/keystay.so\npkcs11-module-path = " + NssToken::module().string() +
          "\npkcs11-module-init-args = configDir=\\'sql:" + database +
          "\\'\npkcs11-module-token-pin = file:" + token_->pin_file().string() + "\n");
  Environment environment = program_environment();
  environment["OPENSSL_CONF"] = cnf;
  environment["KEYSTAY_CONF"] = "";
  const Outcome signing = run({"openssl", "dgst", "-sha256", "-hex", "-sign",
                               "pkcs11:token=NSS%20Certificate%20DB;object=ec;type=private", "/dev/null"},
                              {.environment = environment});
  EXPECT_TRUE(signing.ok()) << signing;
}

// NSS makes such keys since 3.105.
class NssX25519Test : public NssTest {
 protected:
  void SetUp() override {
    NssTest::SetUp();
    if (IsSkipped()) return;
    const Outcome made = keystay({"-genkeypair", "-alias", "x25519", "-keyalg", "X25519"});
    if (made.error.find("CKR_MECHANISM_INVALID") != std::string::npos) GTEST_SKIP() << made.error;
    ASSERT_TRUE(made.ok()) << made;
  }
  void TearDown() override {
    if (token_) (void)keystay({"-delete", "-alias", "x25519"});
    NssTest::TearDown();
  }

  // Nothing, with the reason on the error queue, if it fails.
  static std::optional<Bytes> derive(OSSL_LIB_CTX* libctx, EVP_PKEY* own, EVP_PKEY* peer) {
    const EvpPkeyContext context(EVP_PKEY_CTX_new_from_pkey(libctx, own, nullptr));
    Bytes secret(32);
    std::size_t size = 0;
    if (EVP_PKEY_derive_init(context.get()) != 1 || EVP_PKEY_derive_set_peer(context.get(), peer) != 1 ||
        EVP_PKEY_derive(context.get(), nullptr, &size) != 1 || size != secret.size() ||
        EVP_PKEY_derive(context.get(), secret.data(), &size) != 1) {
      return std::nullopt;
    }
    return secret;
  }
  static EvpPkey peer() { return EvpPkey(EVP_PKEY_Q_keygen(nullptr, nullptr, "X25519")); }
};

TEST_F(NssX25519Test, BothSidesHaveOneSecretInEveryOrderOfProviders) {
  for (const Order order : {Order::keystay_first, Order::keystay_last}) {
    const LibraryContext context(order);
    const EvpPkey ours = context.load("keystay:x25519");
    ASSERT_TRUE(ours) << take_errors();
    EXPECT_EQ(EVP_PKEY_is_a(ours.get(), "X25519"), 1);
    const EvpPkey public_half = context.load("keystay:x25519", OSSL_STORE_INFO_PUBKEY);
    const EvpPkey theirs = peer();
    const auto secret = derive(context.get(), ours.get(), theirs.get());
    ASSERT_TRUE(secret) << take_errors();
    EXPECT_EQ(secret, derive(nullptr, theirs.get(), public_half.get())) << take_errors();
  }
}

TEST_F(NssX25519Test, APeersKeyOfSmallOrderGivesNoSecret) {
  const EvpPkey ours = context_.load("keystay:x25519");
  ASSERT_TRUE(ours) << take_errors();
  ASSERT_TRUE(derive(context_.get(), ours.get(), peer().get())) << take_errors();
  for (const int point : {0, 1}) {
    Bytes small(32);
    small.front() = static_cast<std::uint8_t>(point);
    const EvpPkey theirs(
        EVP_PKEY_new_raw_public_key_ex(nullptr, "X25519", nullptr, small.data(), small.size()));
    EXPECT_FALSE(derive(context_.get(), ours.get(), theirs.get())) << point;
    EXPECT_NE(take_errors(), "");
  }
}

TEST_F(NssX25519Test, TheReferenceIsReadAndWhatCannotSignSaysSo) {
  const auto file = token_->directory().path() / "x25519.key";
  const Outcome written = keystay({"-exportref", "-alias", "x25519", "-file", file});
  ASSERT_TRUE(written.ok()) << written;
  const EvpPkey ours = context_.read_pem(read_file(file));
  ASSERT_TRUE(ours) << take_errors();
  EXPECT_TRUE(derive(context_.get(), ours.get(), peer().get())) << take_errors();
  std::filesystem::remove(file);
  const Outcome listed = keystay({"-list", "-alias", "x25519"});
  EXPECT_THAT(listed.output, HasSubstr("X25519 key without a certificate")) << listed;
  const Outcome request = keystay({"-certreq", "-alias", "x25519", "-dname", "CN=x"});
  EXPECT_THAT(request.error, HasSubstr("cannot sign")) << request;
}

TEST_F(NssX25519Test, EvpGeneratesThemOnTheToken) {
  const EvpPkeyContext generation(EVP_PKEY_CTX_new_from_name(context_.get(), "X25519", "provider=keystay"));
  ASSERT_EQ(EVP_PKEY_keygen_init(generation.get()), 1);
  ASSERT_EQ(EVP_PKEY_CTX_ctrl_str(generation.get(), "pkcs11_uri", "keystay:made-X25519"), 1) << take_errors();
  EVP_PKEY* made = nullptr;
  ASSERT_EQ(EVP_PKEY_generate(generation.get(), &made), 1) << take_errors();
  const EvpPkey key(made);
  EXPECT_TRUE(derive(context_.get(), key.get(), peer().get())) << take_errors();
}

TEST_F(NssTest, WhatIsWrongIsSaidInOneLine) {
  const Outcome pin = list_with(token_->pin_file(), token_->directory().write("wrong", "654321\n"));
  EXPECT_THAT(pin.error,
              AllOf(HasSubstr("CKR_PIN_INCORRECT (0xa0) for token \"nss\""), Not(HasSubstr("654321"))));
  const Outcome elsewhere = list_with(token_->arguments(), "configDir='sql:/nonexistent/db'");
  EXPECT_THAT(elsewhere.error,
              AllOf(HasSubstr("does not start with its `module-arguments`"), Not(HasSubstr("nonexistent"))));
  // Later versions of softokn have a database of their own choice then.
  const Outcome without = list_with("module-arguments = \"" + token_->arguments() + "\"\n", "");
  EXPECT_TRUE(without.ok() ||
              without.error.find("wants arguments: write its `module-arguments`") != without.error.npos)
      << without;
  const Outcome label = list_with("NSS Certificate DB", "web");
  EXPECT_THAT(label.error, AllOf(HasSubstr("it shows \"NSS Generic Crypto Services\" (serial "),
                                 HasSubstr(", \"NSS Certificate DB\" (serial ")));
}

}  // namespace
}  // namespace keystay::test
