// Private keys that share a CKA_ID, which PKCS #11 does not forbid: each is found, renamed and destroyed
// alone, or is an error that names all.
#include <optional>
#include <string>
#include <vector>

#include "native/pkcs11/key_search.h"
#include "tests/keys/key_store_test.h"

namespace keystay::keys {
namespace {

using testing::HasSubstr;

// The objects come in an order that is nobody's to rely on, so that several tokens' worth of pairs are tried.
class FindAmongKeysOfOneId : public KeyStoreTest {
 protected:
  static constexpr int kPairs = 8;

  // "aN" and "bN" with the CKA_ID N.
  FindAmongKeysOfOneId() {
    for (int pair = 0; pair < kPairs; ++pair) {
      for (const char* name : {"a", "b"}) make_key(name + std::to_string(pair), id_of(pair));
    }
  }

  static std::string id_of(int pair) { return "0" + std::to_string(pair); }

  void make_key(const std::string& label, const std::string& id) {
    hsm_.pkcs11_tool({"--keypairgen", "--key-type", "EC:prime256v1", "--label", label, "--id", id});
  }

  // What the public key object of this label states.
  pkcs11::PublicKey published(const std::string& label) {
    std::optional<pkcs11::PublicKey> key;
    token_->with_session([&](pkcs11::Session& session) {
      for (const KeyObject& object : read_all(session, pkix_).public_keys) {
        if (object.label == label) key = object.public_key;
      }
    });
    return key.value();
  }
};

TEST_F(FindAmongKeysOfOneId, EachHasThePublicKeyOfItsLabel) {
  const std::vector<Entry> entries = store_.entries();
  ASSERT_EQ(entries.size(), 2u * kPairs);
  for (const Entry& entry : entries) {
    EXPECT_EQ(entry.key.public_key(), published(entry.alias)) << entry.alias;
    EXPECT_TRUE(signs(entry)) << entry.alias;
    for (const Parts parts : {Parts::key, Parts::key_and_leaf}) {
      const std::optional<Entry> found = store_.find(entry.alias, entry.key.reference().id(), parts);
      ASSERT_TRUE(found) << entry.alias;
      EXPECT_EQ(found->key.public_key(), entry.key.public_key()) << entry.alias;
    }
  }
}

TEST_F(FindAmongKeysOfOneId, ACertificateIsOneKeys) {
  for (int pair = 0; pair < kPairs; ++pair) {
    const Entry a = store_.find("a" + std::to_string(pair)).value();
    store_.replace_chain(a, reply(a));
    EXPECT_TRUE(store_.find("a" + std::to_string(pair))->leaf);
    EXPECT_FALSE(store_.find("b" + std::to_string(pair))->leaf);
  }
  for (const Entry& entry : store_.entries()) EXPECT_EQ(entry.leaf.has_value(), entry.alias[0] == 'a');
}

TEST_F(FindAmongKeysOfOneId, IsRenamedAndDestroyedAlone) {
  for (int pair = 0; pair < kPairs; ++pair) {
    const std::string name = std::to_string(pair);
    const pkcs11::PublicKey a = published("a" + name);
    const pkcs11::PublicKey b = published("b" + name);
    store_.rename(store_.find("a" + name).value(), "c" + name);
    EXPECT_EQ(store_.find("c" + name)->key.public_key(), a);
    EXPECT_EQ(store_.find("b" + name)->key.public_key(), b);
    store_.destroy(store_.find("b" + name).value());
    EXPECT_FALSE(store_.find("b" + name));
    EXPECT_EQ(store_.find("c" + name)->key.public_key(), a);
    EXPECT_TRUE(signs(store_.find("c" + name).value()));
  }
  EXPECT_EQ(inventory().size(), 2u * kPairs) << "a private and a public key each";
}

TEST_F(FindAmongKeysOfOneId, TheirCommonIdIsAnErrorThatListsTheirLabels) {
  const std::optional<Error> by_id = error_of([&] { (void)store_.find("", Bytes{0x00}); });
  const std::optional<Error> by_alias = error_of([&] { (void)store_.resolve("id:00"); });
  for (const auto& error : {by_id, by_alias}) {
    ASSERT_TRUE(error);
    EXPECT_THAT(error->what(), testing::AllOf(HasSubstr("\"a0\""), HasSubstr("\"b0\"")));
  }
}

TEST_F(FindAmongKeysOfOneId, WhatNoLabelTellsApartIsAnErrorThatNamesBoth) {
  token_->with_rw_session([&](pkcs11::Session& session) {
    for (const KeyObject& object : read_all(session, pkix_).public_keys) {
      session.set_attributes(object.handle, std::move(pkcs11::Template().text(CKA_LABEL, "neither")));
    }
  });
  EXPECT_THAT(store_.entries(), testing::IsEmpty());
  const std::optional<Error> error = error_of([&] { (void)store_.find("a0"); });
  ASSERT_TRUE(error);
  EXPECT_THAT(error->what(), testing::AllOf(HasSubstr("\"a0\""), HasSubstr("\"b0\""), HasSubstr("CKA_ID")));
}

// Of which a certificate could be either's.
TEST_F(FindAmongKeysOfOneId, ACertificateOfNeitherLabelIsNobodysPublicHalf) {
  const Entry a = store_.find("a0").value();
  store_.replace_chain(a, reply(a));
  token_->with_rw_session([&](pkcs11::Session& session) {
    const TokenObjects objects = read_by_id(session, pkix_, Bytes{0x00});
    for (const KeyObject& object : objects.public_keys) session.destroy_object(object.handle);
    for (const CertificateObject& object : objects.certificates)
      session.set_attributes(object.handle, std::move(pkcs11::Template().text(CKA_LABEL, "www")));
  });
  EXPECT_TRUE(error_of([&] { (void)store_.find("a0"); }));
  EXPECT_TRUE(error_of([&] { (void)store_.find("b0"); }));
}

}  // namespace
}  // namespace keystay::keys
