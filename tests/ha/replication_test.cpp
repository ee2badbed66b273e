// What a group makes, changes and destroys is the same on all of its members: real keys, wrapped by one
// SoftHSM token and unwrapped by another.
#include "native/keys/key_pair.h"
#include "native/keys/wrapping.h"
#include "native/pkcs11/session.h"
#include "native/x509/public_key.h"
#include "tests/ha/group_fixture.h"
#include "tests/support/signature_check.h"

namespace keystay::ha {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr char kWrappingKey[] = "wrapping-key = \"kek\"\n";

class ReplicationTest : public GroupTest {
 protected:
  ReplicationTest() { use_group(kWrappingKey); }

  std::vector<keys::Replica> replicas(std::size_t first, std::size_t count) {
    std::vector<keys::Replica> replicas;
    for (std::size_t i = first; i < first + count; ++i)
      replicas.push_back({name(i), tokens_->source(name(i))});
    return replicas;
  }
  void share_wrapping_key() { keys::share_wrapping_key(replicas(0, kMembers), "kek"); }

  keys::KeyStore store() { return {group(), pkix_}; }
  std::optional<Error> generate(std::string_view alias) {
    return error_of([&] { store().generate(alias, keys::key_spec("EC", 256, "")); });
  }

  // Names of the aliases, and what is unfinished.
  std::vector<std::string> names_on(std::size_t member) {
    std::vector<std::string> names;
    const keys::Listing listing = store_of(member).list();
    for (const keys::ListedEntry& listed : listing.entries) names.push_back(listed.entry.alias);
    for (const keys::Unfinished& object : listing.unfinished) names.push_back(object.label);
    return names;
  }
  void expect_nothing_new() {
    for (std::size_t i = 0; i < kMembers; ++i) EXPECT_THAT(names_on(i), ElementsAre("httpd")) << name(i);
  }

  std::optional<bool> attribute(std::size_t member, const std::string& label, CK_ATTRIBUTE_TYPE type) {
    std::optional<bool> value;
    tokens_->source(name(member))->with_session([&](pkcs11::Session& session) {
      pkcs11::Template search;
      search.number(CKA_CLASS, CKO_PRIVATE_KEY).text(CKA_LABEL, label);
      const auto keys = session.find_token_objects(std::move(search));
      if (keys.size() == 1) value = session.attributes(keys.front(), std::array{type}).flag(type);
    });
    return value;
  }

  // Signs with the key of one member, and verifies with the public key of the group's alias.
  bool signs_on(std::size_t member, const std::string& alias) {
    const keys::Entry there = *store_of(member).find(alias);
    const keys::Entry of_group = *store().find(alias);
    if (there.key.type() != CKK_EC) return there.key.public_key() == of_group.key.public_key();
    constexpr std::array<std::uint8_t, 32> digest{1, 2, 3};
    Bytes signature(there.key.signature_size());
    signature.resize(there.key.sign(pkcs11::Ecdsa{}, digest, signature));
    const x509::EvpPkey public_key = x509::to_evp_pkey(of_group.key.public_key(), nullptr);
    return test::verifies_ecdsa(public_key.get(), digest, signature);
  }
};

TEST_F(ReplicationTest, ANewKeyIsOnAllMembersAndSealedThere) {
  share_wrapping_key();
  for (const auto& [alias, spec] :
       {std::pair{"ec", keys::key_spec("EC", 256, "")}, std::pair{"rsa", keys::key_spec("RSA", 2048, "")}}) {
    const keys::Entry made = store().generate(alias, spec);
    EXPECT_EQ(made.alias, alias);
    for (std::size_t i = 0; i < kMembers; ++i) {
      SCOPED_TRACE(name(i) + ", " + alias);
      const auto there = store_of(i).find(alias);
      ASSERT_TRUE(there);
      EXPECT_EQ(there->key.reference().id(), made.key.reference().id());
      EXPECT_EQ(there->key.public_key(), made.key.public_key());
      EXPECT_TRUE(signs_on(i, alias));
      EXPECT_EQ(attribute(i, alias, CKA_EXTRACTABLE), false);
      EXPECT_EQ(attribute(i, alias, CKA_SENSITIVE), true);
      EXPECT_EQ(attribute(i, alias, CKA_NEVER_EXTRACTABLE), false) << "which the manual says";
      EXPECT_EQ(attribute(i, alias, CKA_UNWRAP), false);
      EXPECT_EQ(attribute(i, alias, CKA_DECRYPT), false);
    }
  }
  for (std::size_t i = 0; i < kMembers; ++i) EXPECT_THAT(names_on(i), ElementsAre("ec", "httpd", "rsa"));
}

TEST_F(ReplicationTest, WithoutAWrappingKeyInTheConfigurationNothingIsMade) {
  use_group();
  EXPECT_THAT(generate("web")->what(), AllOf(HasSubstr("wrapping-key"), HasSubstr("keystay group init")));
  expect_nothing_new();
}

TEST_F(ReplicationTest, WithoutTheWrappingKeyOnAMemberNothingIsMade) {
  keys::share_wrapping_key(replicas(0, 2), "kek");
  const auto error = generate("web");
  ASSERT_TRUE(error);
  EXPECT_THAT(error->what(), AllOf(HasSubstr("hsm-c: "), HasSubstr("no wrapping key \"kek\""),
                                   HasSubstr("create-minimum"), Not(HasSubstr("hsm-a: "))));
  expect_nothing_new();
}

TEST_F(ReplicationTest, OfDifferentWrappingKeysNothingIsMade) {
  keys::share_wrapping_key(replicas(0, 2), "kek");
  keys::share_wrapping_key(replicas(2, 1), "kek");
  const auto error = generate("web");
  ASSERT_TRUE(error);
  EXPECT_THAT(error->what(), AllOf(HasSubstr("no key was made: hsm-c: "), HasSubstr("C_UnwrapKey")));
  expect_nothing_new();
}

TEST_F(ReplicationTest, AMemberThatRefusesTheKeyIsNamedAndTheOthersGiveItUp) {
  share_wrapping_key();
  faults(1).fail(Function::C_UnwrapKey, CKR_DEVICE_MEMORY, kEveryCall);
  const auto error = generate("web");
  ASSERT_TRUE(error);
  EXPECT_THAT(error->what(), AllOf(HasSubstr("no key was made: hsm-b: "), HasSubstr("C_UnwrapKey"),
                                   HasSubstr("CKR_DEVICE_MEMORY")));
  faults(1).reset();
  expect_nothing_new();
}

TEST_F(ReplicationTest, AKeyThatIsGoneIsNotSealed) {
  tokens_->source("hsm-a")->with_rw_session([](pkcs11::Session& session) {
    const auto error = error_of([&] { keys::seal_private_key(session, "nobody"); });
    ASSERT_TRUE(error);
    EXPECT_THAT(error->what(), HasSubstr("not there any more"));
  });
}

TEST_F(ReplicationTest, EnoughMembersKeepTheKey) {
  use_group(std::string(kWrappingKey) + "create-minimum = 2\n");
  share_wrapping_key();
  faults(1).fail(Function::C_UnwrapKey, CKR_DEVICE_MEMORY, kEveryCall);
  EXPECT_FALSE(generate("web"));
  faults(1).reset();
  EXPECT_THAT(names_on(0), ElementsAre("httpd", "web"));
  EXPECT_THAT(names_on(1), ElementsAre("httpd"));
  EXPECT_THAT(names_on(2), ElementsAre("httpd", "web"));
  ASSERT_FALSE(notices().empty());
  EXPECT_THAT(notices().front(), AllOf(HasSubstr("not on all members"), HasSubstr("hsm-b: ")));
}

// The same for each call that the second member gets, one after the other.
TEST_F(ReplicationTest, WhicheverCallFailsNothingIsLeftOnAnyMember) {
  share_wrapping_key();
  for (const Function function :
       {Function::C_UnwrapKey, Function::C_CreateObject, Function::C_SetAttributeValue}) {
    bool failed = true;
    for (int nth = 0; failed && nth < 20; ++nth) {
      SCOPED_TRACE("call " + std::to_string(nth));
      faults(1).fail_after(nth, function, CKR_DEVICE_ERROR);
      failed = generate("web").has_value();
      faults(1).reset();
      if (failed) expect_nothing_new();
    }
    EXPECT_FALSE(failed);
    store().destroy(*store().find("web"));
    expect_nothing_new();
  }
}

TEST_F(ReplicationTest, AnImportedKeyIsOnAllMembers) {
  const x509::EvpPkey key(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"));
  const Bytes number = private_number(key.get());
  store().import_key("web", {x509::from_evp_pkey(key.get()), {number}});
  for (std::size_t i = 0; i < kMembers; ++i) {
    EXPECT_THAT(names_on(i), ElementsAre("httpd", "web"));
    EXPECT_TRUE(signs_on(i, "web"));
  }
}

TEST_F(ReplicationTest, WhatChangesChangesEverywhere) {
  store().rename(*store().find("httpd"), "web");
  for (std::size_t i = 0; i < kMembers; ++i) EXPECT_THAT(names_on(i), ElementsAre("web"));
  store().destroy(*store().find("web"));
  for (std::size_t i = 0; i < kMembers; ++i) EXPECT_THAT(names_on(i), IsEmpty());
}

TEST_F(ReplicationTest, NothingChangesWhileAMemberIsAway) {
  const keys::Entry httpd = *store().find("httpd");
  faults(2).remove_token();
  for (const auto& change : {std::function<void()>([&] { store().destroy(httpd); }),
                             std::function<void()>([&] { store().rename(httpd, "web"); })}) {
    const auto error = error_of(change);
    ASSERT_TRUE(error);
    EXPECT_THAT(error->what(), AllOf(HasSubstr("nothing was changed"), HasSubstr("hsm-c: ")));
  }
  EXPECT_THAT(generate("other")->what(), HasSubstr("hsm-c"));
  faults(2).return_token();
  EXPECT_TRUE(wait_for([&] { return !error_of([&] { (void)names_on(2); }); }));
  expect_nothing_new();
}

TEST_F(ReplicationTest, AKeyOfAnotherNameOnOneMemberIsNotDestroyedWithIt) {
  store_of(1).rename(*store_of(1).find("httpd"), "mine");
  const auto error = error_of([&] { store().destroy(*store_of(0).find("httpd")); });
  ASSERT_TRUE(error);
  EXPECT_THAT(error->what(), AllOf(HasSubstr("hsm-b: "), HasSubstr("alias \"mine\"")));
  EXPECT_THAT(names_on(0), ElementsAre("httpd"));
  EXPECT_THAT(names_on(1), ElementsAre("mine"));
}

TEST_F(ReplicationTest, ANewWrappingKeyTakesThePlaceOfTheOldOnes) {
  keys::share_wrapping_key(replicas(0, 2), "kek");
  keys::share_wrapping_key(replicas(2, 1), "kek");
  EXPECT_TRUE(generate("web")) << "they have different ones";
  share_wrapping_key();
  for (std::size_t i = 0; i < kMembers; ++i)
    EXPECT_EQ(keys::wrapping_key_state(*tokens_->source(name(i)), "kek").keys, 1U);
  EXPECT_FALSE(generate("web"));
}

TEST_F(ReplicationTest, AnExchangeThatFailsLeavesTheOldWrappingKeys) {
  share_wrapping_key();
  faults(2).fail(Function::C_UnwrapKey, CKR_DEVICE_ERROR, kEveryCall);
  const auto error = error_of([&] { share_wrapping_key(); });
  ASSERT_TRUE(error);
  EXPECT_THAT(error->what(), AllOf(HasSubstr("hsm-c"), HasSubstr("C_UnwrapKey")));
  faults(2).reset();
  EXPECT_FALSE(generate("web")) << "all have the same one still";
}

}  // namespace
}  // namespace keystay::ha
