// One alias on several tokens: a member that lacks the key, or has another one in its place, is not used for
// it.
#include "native/pkcs11/session.h"
#include "tests/ha/group_fixture.h"

namespace keystay::ha {
namespace {

using namespace std::chrono_literals;

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

class KeysOfMembers : public GroupTest {
 protected:
  KeysOfMembers() { use_group("probe = [\"100ms\"]\n"); }

  void destroy_on(std::size_t member) {
    keys::KeyStore store = store_of(member);
    store.destroy(*store.find("httpd"));
  }
  void put_another_key_on(std::size_t member, const Bytes& id) {
    destroy_on(member);
    keys::KeyRequest request{keys::key_spec("EC", 256, ""), keys::KeyUse::sign};
    request.id = id;
    store_of(member).generate("httpd", request);
  }
  // By another one, beside the public key as it was.
  void replace_private_key_on(std::size_t member, const Bytes& id) {
    keys::KeyRequest request{keys::key_spec("EC", 256, ""), keys::KeyUse::sign};
    store_of(member).generate("other", request);
    change_on(member, [&](pkcs11::Session& session) {
      for (const CK_OBJECT_HANDLE object : objects(session, CKO_PRIVATE_KEY)) session.destroy_object(object);
      for (const CK_OBJECT_HANDLE object : objects(session, CKO_PRIVATE_KEY, "other"))
        session.set_attributes(object,
                               std::move(pkcs11::Template().bytes(CKA_ID, id).text(CKA_LABEL, "httpd")));
      for (const CK_OBJECT_HANDLE object : objects(session, CKO_PUBLIC_KEY, "other"))
        session.destroy_object(object);
    });
  }
  void change_on(std::size_t member, const std::function<void(pkcs11::Session&)>& change) {
    tokens_->source(name(member))->with_rw_session(change);
  }
  [[nodiscard]] static std::vector<CK_OBJECT_HANDLE> objects(pkcs11::Session& session, CK_OBJECT_CLASS kind,
                                                             std::string_view label = "httpd") {
    pkcs11::Template search;
    search.number(CKA_CLASS, kind).text(CKA_LABEL, label);
    return session.find_token_objects(std::move(search));
  }
};

TEST_F(KeysOfMembers, OneThatLacksTheKeyIsNamedOnceAndServesTheOthers) {
  keys::KeyStore(tokens_->source("hsm-b"), pkix_)
      .generate("mail", {keys::key_spec("EC", 256, ""), keys::KeyUse::sign});
  destroy_on(1);
  const keys::PrivateKey httpd = key();
  reset_counts();
  EXPECT_EQ(
      failures_while(
          httpd, [&] { EXPECT_TRUE(wait_for([&] { return signatures(0) > 20 && signatures(2) > 20; })); }),
      0U);
  EXPECT_EQ(signatures(1), 0U);
  EXPECT_EQ(status(1).service, Service::in);
  EXPECT_THAT(status(1).lacking, ElementsAre("alias \"httpd\""));
  ASSERT_EQ(notices().size(), 1U);
  EXPECT_THAT(notices()[0], AllOf(HasSubstr("group \"front\": member \"hsm-b\" cannot use alias \"httpd\": "),
                                  HasSubstr("no such private key on the token")));
}

TEST_F(KeysOfMembers, AnotherKeyInItsPlaceIsNeverUsed) {
  // The same label and the same CKA_ID, and another key.
  put_another_key_on(1, key().reference().id());
  const keys::PrivateKey httpd = keys::KeyStore(tokens_->source("hsm-a"), pkix_).find("httpd")->key;
  const keys::PrivateKey of_group(group()->operations(), httpd.reference());
  reset_counts();
  EXPECT_EQ(
      failures_while(
          of_group, [&] { EXPECT_TRUE(wait_for([&] { return signatures(0) > 20 && signatures(2) > 20; })); }),
      0U)
      << "each signature was verified with the public key of the alias";
  EXPECT_EQ(signatures(1), 0U);
  ASSERT_EQ(notices().size(), 1U);
  EXPECT_THAT(notices()[0], HasSubstr("another one than the one that was loaded"));
}

// Labels, ids and public key objects are what somebody wrote there; what tells a key from another one is what
// it signs.
TEST_F(KeysOfMembers, AnotherKeyBesideTheRightPublicKeyIsNotUsed) {
  const keys::PrivateKey httpd = key();
  replace_private_key_on(1, httpd.reference().id());
  EXPECT_EQ(
      failures_while(
          httpd, [&] { EXPECT_TRUE(wait_for([&] { return signatures(0) > 20 && signatures(2) > 20; })); }),
      0U)
      << "each signature was verified with the public key of the alias";
  EXPECT_EQ(status(1).succeeded, 0U);
  ASSERT_EQ(notices().size(), 1U);
  EXPECT_THAT(notices()[0], HasSubstr("another one than the one that was loaded"));
}

TEST_F(KeysOfMembers, OneThatNothingShowsToBeTheKeyProvesIt) {
  const keys::PrivateKey httpd = key();
  for (std::size_t i = 0; i < kMembers; ++i) {
    if (i == 1) put_another_key_on(1, httpd.reference().id());
    change_on(i, [](pkcs11::Session& session) {
      for (const CK_OBJECT_HANDLE object : objects(session, CKO_PUBLIC_KEY)) session.destroy_object(object);
    });
  }
  reset_counts();
  EXPECT_EQ(
      failures_while(
          httpd, [&] { EXPECT_TRUE(wait_for([&] { return signatures(0) > 20 && signatures(2) > 20; })); }),
      0U)
      << "each signature was verified with the public key of the alias";
  EXPECT_EQ(status(1).succeeded, 0U);
  ASSERT_EQ(notices().size(), 1U);
  EXPECT_THAT(notices()[0], AllOf(HasSubstr("member \"hsm-b\" cannot use alias \"httpd\": "),
                                  HasSubstr("another one than the one that was loaded")));
}

TEST_F(KeysOfMembers, OneThatCanNeitherShowNorProveItIsNotUsed) {
  const keys::PrivateKey httpd = key();
  change_on(1, [](pkcs11::Session& session) {
    for (const CK_OBJECT_HANDLE object : objects(session, CKO_PUBLIC_KEY)) session.destroy_object(object);
  });
  faults(1).fail(Function::C_VerifyInit, CKR_FUNCTION_NOT_SUPPORTED, kEveryCall);
  EXPECT_EQ(
      failures_while(
          httpd, [&] { EXPECT_TRUE(wait_for([&] { return signatures(0) > 20 && signatures(2) > 20; })); }),
      0U);
  EXPECT_EQ(status(1).succeeded, 0U);
  ASSERT_EQ(notices().size(), 1U);
  EXPECT_THAT(notices()[0], HasSubstr("store the public key beside it"));
}

TEST_F(KeysOfMembers, AnotherKeyOfTheSameLabelAndNoIdIsNotUsedEither) {
  const keys::PrivateKey whole = key();
  for (std::size_t i = 0; i < kMembers; ++i) {
    if (i == 1) put_another_key_on(1, whole.reference().id());
    change_on(i, [](pkcs11::Session& session) {
      for (const CK_OBJECT_CLASS kind : {CKO_PUBLIC_KEY, CKO_PRIVATE_KEY}) {
        for (const CK_OBJECT_HANDLE object : objects(session, kind))
          session.set_attributes(object, std::move(pkcs11::Template().bytes(CKA_ID, {})));
      }
    });
  }
  const keys::PrivateKey httpd(group()->operations(), {{}, "httpd", CKK_EC, whole.reference().public_key()});
  reset_counts();
  EXPECT_EQ(
      failures_while(
          httpd, [&] { EXPECT_TRUE(wait_for([&] { return signatures(0) > 20 && signatures(2) > 20; })); }),
      0U);
  EXPECT_EQ(signatures(1), 0U);
  ASSERT_EQ(notices().size(), 1U);
  EXPECT_THAT(notices()[0], HasSubstr("another one than the one that was loaded"));
}

TEST_F(KeysOfMembers, WhereTheyDifferTheFirstOneSaysWhatTheKeyIs) {
  const keys::PrivateKey of_the_first = keys::KeyStore(tokens_->source("hsm-a"), pkix_).find("httpd")->key;
  put_another_key_on(1, of_the_first.reference().id());
  for (int i = 0; i < 6; ++i) {
    EXPECT_EQ(key().public_key(), of_the_first.public_key()) << "whoever reads again gets the same";
    EXPECT_TRUE(signs(of_the_first));  // which takes turns
  }
}

TEST_F(KeysOfMembers, WhatNobodyHasIsOneMessageOfAll) {
  const keys::PrivateKey httpd = key();
  for (std::size_t i = 0; i < kMembers; ++i) destroy_on(i);
  std::optional<Error> error;
  EXPECT_TRUE(wait_for([&] {
    error = error_of([&] { (void)signs(httpd); });
    return error && error->error_class() == ErrorClass::client;
  }));
  EXPECT_THAT(error->what(),
              AllOf(HasSubstr("alias \"httpd\" on group \"front\""), HasSubstr("hsm-a: "),
                    HasSubstr("hsm-b: "), HasSubstr("hsm-c: "), HasSubstr("no such private key")));
}

TEST_F(KeysOfMembers, AMemberThatGetsTheKeyLaterIsUsedThen) {
  destroy_on(1);
  const keys::PrivateKey httpd = key();
  EXPECT_EQ(failures_while(httpd, [&] { EXPECT_TRUE(wait_for([&] { return !status(1).lacking.empty(); })); }),
            0U);
  import_key_into(1);
  reset_counts();
  EXPECT_EQ(failures_while(httpd, [&] { EXPECT_TRUE(wait_for([&] { return signatures(1) > 0; })); }), 0U);
  EXPECT_THAT(status(1).lacking, ElementsAre());
}

}  // namespace
}  // namespace keystay::ha
