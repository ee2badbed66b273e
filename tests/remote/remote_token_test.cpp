// A token on another machine does what one here does.
#include <array>
#include <atomic>
#include <csignal>
#include <thread>
#include <vector>

#include <openssl/evp.h>
#include <sys/wait.h>
#include <unistd.h>

#include "native/keys/alias_store.h"
#include "native/keys/secret_key_use.h"
#include "tests/remote/remote_test.h"
#include "tests/support/descriptor.h"

namespace keystay::keys {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

class RemoteToken : public RemoteTest {};

TEST_F(RemoteToken, TouchesNothingBeforeItIsUsed) {
  const auto source = open_with("");
  EXPECT_EQ(source->name(), "token \"web\"");
  EXPECT_EQ(source->capacity(), 4U);
  EXPECT_THAT(hsm_.relays(), IsEmpty());
  EXPECT_THAT(hsm_.connections(), IsEmpty());
}

TEST_F(RemoteToken, SignsWithKeysThatAreThere) {
  const auto source = open_with("");
  EXPECT_TRUE(signs(key(source)));
  EXPECT_EQ(hsm_.relays().size(), 1U);
  EXPECT_EQ(hsm_.connections().size(), 1U) << "one operation needs one connection";
  EXPECT_EQ(source->info().label, "hsm");
}

TEST_F(RemoteToken, MakesImportsListsRenamesAndDestroysKeys) {
  const auto source = open_with("");
  KeyStore store(source, pkix_);
  for (const char* algorithm : {"RSA", "EC", "Ed25519"}) {
    const Entry made = store.generate(algorithm, {key_spec(algorithm, 0, ""), KeyUse::sign});
    EXPECT_EQ(store.entries().size(), 2U) << algorithm;
    store.rename(*store.find(algorithm), "www");
    EXPECT_TRUE(store.find("www"));
    store.destroy(*store.find("www"));
    EXPECT_EQ(store.entries().size(), 1U);
  }
  EXPECT_EQ(store.entries().front().alias, "httpd");
}

TEST_F(RemoteToken, SignsByEveryMechanism) {
  const auto source = open_with("");
  KeyStore store(source, pkix_);
  const Entry rsa = store.generate("rsa", {key_spec("RSA", 2048, ""), KeyUse::sign_and_exchange});
  const auto rsa_public = test::read_public_key(hsm_.token(), "rsa");
  Bytes signature(256);
  rsa.key.sign(pkcs11::RsaPss{pkcs11::Hash::sha256, pkcs11::Hash::sha256, 32}, kDigest, signature);
  EXPECT_TRUE(test::verifies_rsa_pss(rsa_public.get(), "SHA256", kDigest, signature));

  const Entry ed = store.generate("ed", {key_spec("Ed25519", 0, ""), KeyUse::sign});
  const auto& point = std::get<pkcs11::EdwardsPublicKey>(ed.key.public_key()).point;
  const test::Openssl<EVP_PKEY> ed_public(
      EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, point.data(), point.size()));
  Bytes message(1000, 'x');
  signature.assign(64, 0);
  ed.key.sign(pkcs11::EdDsa{}, message, signature);
  EXPECT_TRUE(test::verifies_ed25519(ed_public.get(), message, signature));
}

TEST_F(RemoteToken, UsesSecretKeys) {
  const auto source = open_with("");
  KeyStore store(source, pkix_);
  KeptFile file = KeptFile::of_token("");
  AliasStore aliases(store, file);
  const SecretKey kek = aliases.generate("kek", secret_key_spec("AES", 0));
  const Bytes secret(32, 5);
  Bytes wrapped(40);
  Bytes again(32);
  const auto operations = source->operations();
  // Some versions of p11-kit let no key wrapping pass.
  const std::string wrapping = failure([&] {
    operations->perform(kek.reference, pkcs11::WrapSecret{}, secret, wrapped, operations->deadline());
    operations->perform(kek.reference, pkcs11::UnwrapSecret{}, wrapped, again, operations->deadline());
  });
  if (wrapping.empty())
    EXPECT_EQ(again, secret);
  else
    EXPECT_THAT(wrapping, HasSubstr("CKR_MECHANISM"));
  // p11-kit has no form for its parameters.
  EXPECT_THAT(failure([&] {
                operations->perform(kek.reference, pkcs11::EncryptAesGcm{{Bytes(12, 1), {}}}, secret, wrapped,
                                    operations->deadline());
              }),
              HasSubstr("cannot carry CKM_AES_GCM"));

  const SecretKey key =
      aliases.import_key("mac", SoftwareSecretKey{secret_key_spec("HmacSHA256", 256), secret});
  Bytes whole(32);
  operations->perform(key.reference, pkcs11::Mac{pkcs11::Hash::sha256}, kDigest, whole,
                      operations->deadline());
  const auto parts = [] {
    return NextPart([at = std::size_t{0}]() mutable {
      const pkcs11::ByteView part = pkcs11::ByteView(kDigest).subspan(at).first(at < kDigest.size() ? 8 : 0);
      at += part.size();
      return part;
    });
  };
  EXPECT_EQ(mac(*source, key, pkcs11::Hash::sha256, parts), whole);
  aliases.rename("mac", "other");
  aliases.remove("other");
  aliases.remove("kek");
}

// p11-kit before 0.25 cannot carry the peer's point, and the message says so.
TEST_F(RemoteToken, AgreesOnSecretsOrSaysWhichVersionIsNeeded) {
  const auto source = open_with("");
  KeyStore store(source, pkix_);
  const Entry made = store.generate("ecdh", {key_spec("EC", 256, ""), KeyUse::exchange});
  Bytes secret(32);
  const std::string error = failure([&] {
    made.key.perform(pkcs11::AgreeEcdh{}, std::get<pkcs11::EcPublicKey>(made.key.public_key()).point, secret);
  });
  if (!error.empty())
    EXPECT_THAT(error, HasSubstr("key agreement needs p11-kit 0.25 or later there"));
  else
    EXPECT_NE(secret, Bytes(32));
}

TEST_F(RemoteToken, IsUsedByManyThreadsOnAsManyConnectionsAsItsLanes) {
  const PrivateKey httpd = key(open_with("lanes = 3\n"));
  hsm_.token().faults().delay(Function::C_Sign, std::chrono::milliseconds(20));
  std::atomic<int> good = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 8; ++i)
      threads.emplace_back([&] {
        for (int j = 0; j < 5; ++j) good += signs(httpd) ? 1 : 0;
      });
  }
  EXPECT_EQ(good, 40);
  EXPECT_EQ(hsm_.connections().size(), 3U);
  EXPECT_EQ(hsm_.relays().size(), 1U);
  EXPECT_EQ(hsm_.token().faults().calls(Function::C_Login), 3U) << "each connection has its own";
}

TEST_F(RemoteToken, TriesAWrongPinOnce) {
  hsm_.directory().write("wrong-pin", "999999\n");
  std::string toml = hsm_.configuration();
  const std::string pin = hsm_.token().pin_file().string();
  toml.replace(toml.find(pin), pin.size(), hsm_.file("wrong-pin"));
  const auto source = open(toml);
  std::atomic<int> refused = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 8; ++i)
      threads.emplace_back([&] {
        const std::string error = failure([&] { static_cast<void>(KeyStore(source, pkix_).entries()); });
        if (error.find("PIN") != error.npos) ++refused;
      });
  }
  EXPECT_EQ(refused, 8);
  EXPECT_EQ(hsm_.token().faults().calls(Function::C_Login), 1U);
}

TEST_F(RemoteToken, TriesAWrongPinOnceInAllWorkersOfAServer) {
  hsm_.directory().write("wrong-pin", "999999\n");
  std::string toml = hsm_.configuration();
  const std::string pin = hsm_.token().pin_file().string();
  toml.replace(toml.find(pin), pin.size(), hsm_.file("wrong-pin"));
  std::vector<pid_t> workers;
  for (int i = 0; i < 4; ++i) {
    const pid_t worker = ::fork();
    if (worker == 0) {
      // Each reads the configuration itself, as after a reload.
      const std::string error = failure([&] { static_cast<void>(KeyStore(open(toml), pkix_).entries()); });
      ::_exit(error.find("PIN") != error.npos ? 0 : 1);
    }
    workers.push_back(worker);
  }
  for (const pid_t worker : workers) {
    int status = -1;
    ASSERT_EQ(::waitpid(worker, &status, 0), worker);
    EXPECT_EQ(status, 0);
  }
  EXPECT_EQ(hsm_.token().faults().calls(Function::C_Login), 1U);
}

TEST_F(RemoteToken, IsUsedByAForkedChildOnAConnectionOfItsOwn) {
  const PrivateKey httpd = key(open_with(""));
  ASSERT_TRUE(signs(httpd));
  const pid_t child = ::fork();
  if (child == 0) ::_exit(signs(httpd) ? 0 : 1);
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_TRUE(signs(httpd)) << "what the child had was its own";
  EXPECT_TRUE(eventually([&] { return hsm_.relays().size() == 1; })) << "the child's relay ends with it";
}

// As a server that forks while its other threads sign.
TEST_F(RemoteToken, IsUsedByChildrenThatAreForkedInTheMiddleOfSignatures) {
  const PrivateKey httpd = key(open_with("lanes = 2\n"));
  std::atomic<bool> stop = false;
  std::vector<std::jthread> threads;
  for (int i = 0; i < 3; ++i)
    threads.emplace_back([&] {
      while (!stop) EXPECT_TRUE(signs(httpd));
    });
  for (int i = 0; i < 10; ++i) {
    const pid_t child = ::fork();
    if (child == 0) {
      Bytes signature(httpd.signature_size());
      ::_exit(httpd.sign(pkcs11::Ecdsa{}, kDigest, signature) == signature.size() ? 0 : 1);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
  }
  stop = true;
}

TEST_F(RemoteToken, EndsItsRelayWithTheProcessThatHasChildrenLeft) {
  const PrivateKey httpd = key(open_with(""));
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe(ends.data()), 0);
  const test::Descriptor near(ends[0]);
  test::Descriptor far(ends[1]);
  const pid_t middle = ::fork();
  if (middle == 0) {
    ::close(ends[1]);
    const bool good = signs(httpd);
    char byte = 0;
    if (::fork() == 0 && ::read(ends[0], &byte, 1) < 0) ::_exit(2);  // it holds what its parent had open
    ::_exit(good ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(middle, &status, 0), middle);
  EXPECT_EQ(status, 0);
  EXPECT_TRUE(eventually([&] { return hsm_.relays().size() <= 1; }));
}

std::atomic<int> child_signals = 0;

// Servers count their children (nginx, HAProxy, the JVM), and wonder at others.
TEST_F(RemoteToken, IsNoChildOfTheProcess) {
  struct sigaction counting {};
  struct sigaction before {};
  counting.sa_handler = [](int) { ++child_signals; };
  counting.sa_flags = SA_RESTART;
  ::sigaction(SIGCHLD, &counting, &before);
  child_signals = 0;
  {
    const PrivateKey httpd = key(open_with(""));
    EXPECT_TRUE(signs(httpd));
    for (const pid_t relay : hsm_.relays()) ::kill(relay, SIGKILL);
    EXPECT_TRUE(signs(httpd));
  }
  EXPECT_TRUE(eventually([&] { return hsm_.relays().empty(); })) << "nobody uses the token any more";
  EXPECT_EQ(child_signals, 0);
  ::sigaction(SIGCHLD, &before, nullptr);
}

}  // namespace
}  // namespace keystay::keys
