// A group of tokens of two makes: SoftHSM, and NSS softokn behind the fault module.
#include <memory>

#include "native/keys/wrapping.h"
#include "tests/ha/group_fixture.h"
#include "tests/support/nss_token.h"

namespace keystay::ha {
namespace {

using namespace std::chrono_literals;

using testing::HasSubstr;
using testing::IsEmpty;

class MixedMakes : public GroupTest {
 protected:
  static constexpr std::size_t kNss = 1;  // among the members

  void SetUp() override {
    if (!test::NssToken::missing().empty()) GTEST_SKIP() << test::NssToken::missing();
    nss_ = std::make_unique<test::NssToken>();
    nss_faults_ = FaultControl::of_copy(hsm_.directory().path() / "nss.so", test::NssToken::module());
    add_token_section("[token.nss]\nmodule = \"" + nss_faults_->loaded_as().string() +
                      "\"\nmodule-arguments = \"" + nss_->arguments() +
                      "\"\nlabel = \"NSS Certificate DB\"\npin = \"file:" + nss_->pin_file().string() +
                      "\"\n");
    use("");
  }
  void TearDown() override { tokens_.reset(); }

  // Its login takes a part of a second: the database derives its key from the PIN.
  void use(const std::string& lines) {
    use_members(
        "[\"hsm-a\", \"nss\", \"hsm-c\"]\nprobe = [\"100ms\"]\ntimeout = \"20s\"\nattempt-timeout = "
        "\"5s\"\n" +
        lines);
  }

  [[nodiscard]] bool all_sign() {
    reset_counts();
    return wait_for([&] { return operations(0) > 10 && operations(kNss) > 10 && operations(2) > 10; });
  }

  std::unique_ptr<test::NssToken> nss_;
  std::unique_ptr<FaultControl> nss_faults_;
};

TEST_F(MixedMakes, ShareTheWorkOfAKeyThatAllHave) {
  import_key_into("nss");
  const keys::PrivateKey httpd = key();
  EXPECT_EQ(store_of("nss").find("httpd")->key.reference().id(), httpd.reference().id());
  EXPECT_EQ(failures_while(httpd, [&] { EXPECT_TRUE(all_sign()); }), 0U);
  EXPECT_THAT(notices(), IsEmpty());
}

TEST_F(MixedMakes, FailApartFromOneAnother) {
  import_key_into("nss");
  const keys::PrivateKey httpd = key();
  EXPECT_EQ(
      failures_while(httpd,
                     [&] {
                       nss_faults_->fail(Function::C_Sign, CKR_DEVICE_ERROR, kEveryCall);
                       EXPECT_TRUE(wait_for_service(kNss, Service::out));
                       nss_faults_->reset();
                       EXPECT_TRUE(wait_for_service(kNss, Service::in));
                       nss_faults_->drop_sessions();
                       EXPECT_TRUE(all_sign());
                       nss_faults_->forget_initialize();
                       EXPECT_TRUE(all_sign());
                       nss_faults_->remove_token();
                       EXPECT_TRUE(wait_for_service(kNss, Service::out));
                       nss_faults_->return_token();
                       EXPECT_TRUE(wait_for_service(kNss, Service::in));
                       for (const std::size_t other : {0, 2})
                         faults(other).fail(Function::C_Sign, CKR_DEVICE_ERROR, kEveryCall);
                       EXPECT_TRUE(wait_for_service(0, Service::out) && wait_for_service(2, Service::out));
                       reset_counts();
                       EXPECT_TRUE(wait_for([&] { return operations(kNss) > 20; })) << "it alone signs";
                       for (const std::size_t other : {0, 2}) faults(other).reset();
                       EXPECT_TRUE(wait_for_service(0, Service::in) && wait_for_service(2, Service::in));
                       EXPECT_TRUE(all_sign());
                     }),
      0U);
}

TEST_F(MixedMakes, AHungCallOfOneIsLeft) {
  import_key_into("nss");
  use_members(
      "[\"hsm-a\", \"nss\", \"hsm-c\"]\nprobe = [\"100ms\"]\ntimeout = \"20s\"\nattempt-timeout = \"2s\"\n");
  const keys::PrivateKey httpd = key();
  EXPECT_EQ(failures_while(httpd,
                           [&] {
                             EXPECT_TRUE(all_sign());
                             nss_faults_->hold(Function::C_Sign);
                             EXPECT_TRUE(wait_for_service(kNss, Service::out));
                             nss_faults_->release(Function::C_Sign);
                             EXPECT_TRUE(wait_for_service(kNss, Service::in));
                             EXPECT_TRUE(all_sign());
                           }),
            0U);
}

// What SoftHSM wraps by CKM_AES_KEY_WRAP_PAD, softokn unwraps by CKM_AES_KEY_WRAP_KWP, and the other way
// round.
class MixedMakesReplication : public MixedMakes {
 protected:
  void use_order(const std::vector<std::string>& order) {
    std::string names;
    std::vector<keys::Replica> replicas;
    for (const std::string& member : order) names += (names.empty() ? "\"" : ", \"") + member + "\"";
    use_members("[" + names + "]\nwrapping-key = \"kek\"\ntimeout = \"20s\"\n");
    for (const std::string& member : order) replicas.push_back({member, tokens_->source(member)});
    keys::share_wrapping_key(replicas, "kek");
  }
  keys::Entry generate(const std::string& alias, const keys::KeySpec& spec) {
    return keys::KeyStore(group(), pkix_).generate(alias, spec);
  }
  void expect_on_all(const keys::Entry& made) {
    for (const char* member : {"hsm-a", "nss", "hsm-c"}) {
      SCOPED_TRACE(member);
      const auto there = store_of(member).find(made.alias);
      ASSERT_TRUE(there);
      EXPECT_EQ(there->key.reference().id(), made.key.reference().id());
      EXPECT_EQ(there->key.public_key(), made.key.public_key());
      Bytes signature(there->key.signature_size());
      EXPECT_EQ(there->key.type() == CKK_RSA ? there->key.sign(pkcs11::RsaPkcs{}, Bytes(32), signature)
                                             : there->key.sign(pkcs11::Ecdsa{}, Bytes(32), signature),
                signature.size());
    }
  }
};

TEST_F(MixedMakesReplication, FromNssToSoftHsm) {
  use_order({"nss", "hsm-a", "hsm-c"});
  expect_on_all(generate("rsa", keys::key_spec("RSA", 2048, "")));
  expect_on_all(generate("ec", keys::key_spec("EC", 256, "")));
  EXPECT_THAT(notices(), IsEmpty());
}

TEST_F(MixedMakesReplication, FromSoftHsmToNss) {
  use_order({"hsm-a", "nss", "hsm-c"});
  expect_on_all(generate("rsa", keys::key_spec("RSA", 2048, "")));
  // softokn wants an attribute of its own in the template of a wrapped EC key.
  const auto error = error_of([&] { generate("ec", keys::key_spec("EC", 256, "")); });
  ASSERT_TRUE(error);
  EXPECT_THAT(error->what(), HasSubstr("no key was made: nss: C_UnwrapKey: CKR_TEMPLATE_INCOMPLETE"));
  EXPECT_THAT(error->what(), HasSubstr("have another member make it (keystay group promote)"));
  for (const char* member : {"hsm-a", "nss", "hsm-c"}) {
    EXPECT_FALSE(store_of(member).find("ec")) << member;
    EXPECT_THAT(store_of(member).list().unfinished, IsEmpty()) << member;
  }
}

}  // namespace
}  // namespace keystay::ha
