// Secret keys of a group: one of them makes a key, the others get it wrapped, and nothing can extract it when
// the alias is there.
#include "native/keys/alias_store.h"
#include "native/keys/secret_key_use.h"
#include "native/keys/wrapping.h"
#include "native/pkcs11/session.h"
#include "tests/ha/group_fixture.h"

namespace keystay::ha {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class SecretKeyOfGroup : public GroupTest {
 protected:
  SecretKeyOfGroup() {
    use_group("wrapping-key = \"kek\"\n");
    std::vector<keys::Replica> replicas;
    for (std::size_t i = 0; i < kMembers; ++i) replicas.push_back({name(i), tokens_->source(name(i))});
    keys::share_wrapping_key(replicas, "kek");
  }

  std::vector<std::string> secret_names_on(std::size_t member) {
    std::vector<std::string> names;
    const keys::Listing listing = store_of(member).list();
    for (const keys::SecretKey& key : listing.secret_keys) names.push_back(key.alias);
    for (const keys::Unfinished& object : listing.unfinished) names.push_back(object.label);
    return names;
  }
  Bytes mac_by(const std::string& token, const std::string& alias) {
    keys::KeyStore store = store_of(token);
    keys::KeptFile file = keys::KeptFile::of_token("");
    const keys::SecretKey key = keys::AliasStore(store, file).require_secret_key(alias);
    const auto once = [] {
      return keys::NextPart([given = false]() mutable {
        static constexpr std::array<std::uint8_t, 3> kMessage{1, 2, 3};
        return std::exchange(given, true) ? pkcs11::ByteView() : pkcs11::ByteView(kMessage);
      });
    };
    return keys::mac(*tokens_->source(token), key, pkcs11::Hash::sha256, once);
  }

  keys::KeptFile kept_ = keys::KeptFile::of_token("");
};

TEST_F(SecretKeyOfGroup, IsTheSameOnAllMembersAndSealedThere) {
  keys::KeyStore store(group(), pkix_);
  keys::AliasStore aliases(store, kept_);
  for (const char* algorithm : {"AES", "HmacSHA256"}) {
    const keys::SecretKey made = aliases.generate("data", keys::secret_key_spec(algorithm, 0));
    for (std::size_t i = 0; i < kMembers; ++i) {
      SCOPED_TRACE(name(i) + algorithm);
      EXPECT_THAT(secret_names_on(i), ElementsAre("data"));
      tokens_->source(name(i))->with_session([&](pkcs11::Session& session) {
        pkcs11::Template search;
        search.number(CKA_CLASS, CKO_SECRET_KEY).bytes(CKA_ID, made.reference.id());
        const auto found = session.find_token_objects(std::move(search));
        ASSERT_EQ(found.size(), 1U);
        const std::array types{CKA_EXTRACTABLE, CKA_SENSITIVE};
        const pkcs11::Attributes told = session.attributes(found.front(), types);
        EXPECT_EQ(told.flag(CKA_EXTRACTABLE), false);
        EXPECT_EQ(told.flag(CKA_SENSITIVE), true);
      });
    }
    if (std::string_view(algorithm) == "HmacSHA256") {
      const Bytes mac = mac_by("front", "data");
      for (std::size_t i = 0; i < kMembers; ++i) EXPECT_EQ(mac_by(name(i), "data"), mac) << name(i);
    }
    aliases.rename("data", "renamed");
    for (std::size_t i = 0; i < kMembers; ++i) EXPECT_THAT(secret_names_on(i), ElementsAre("renamed"));
    aliases.remove("renamed");
    for (std::size_t i = 0; i < kMembers; ++i) EXPECT_THAT(secret_names_on(i), IsEmpty());
  }
}

TEST_F(SecretKeyOfGroup, IsImportedToAllOrToNone) {
  keys::KeyStore store(group(), pkix_);
  keys::AliasStore aliases(store, kept_);
  const Bytes value(32, 9);
  const keys::SoftwareSecretKey key{keys::secret_key_spec("HmacSHA256", 256), value};
  faults(2).fail(Function::C_CreateObject, CKR_DEVICE_ERROR);
  EXPECT_TRUE(error_of([&] { aliases.import_key("mac", key); }));
  for (std::size_t i = 0; i < kMembers; ++i) EXPECT_THAT(secret_names_on(i), IsEmpty()) << name(i);
  aliases.import_key("mac", key);
  EXPECT_EQ(mac_by(name(0), "mac"), mac_by(name(2), "mac"));
}

TEST_F(SecretKeyOfGroup, IsNamedOnAllMembersOrOnNone) {
  keys::KeyStore store(group(), pkix_);
  keys::AliasStore aliases(store, kept_);
  faults(2).fail(Function::C_SetAttributeValue, CKR_DEVICE_ERROR);
  EXPECT_TRUE(error_of([&] { aliases.generate("data", keys::secret_key_spec("AES", 0)); }));
  for (std::size_t i = 0; i < kMembers; ++i)
    EXPECT_THAT(secret_names_on(i), testing::Not(testing::Contains("data"))) << name(i);
  aliases.generate("data", keys::secret_key_spec("AES", 0));
}

TEST_F(SecretKeyOfGroup, IsNotMadeWhereMembersCannotGetIt) {
  use_group("wrapping-key = \"another\"\n");
  keys::KeyStore store(group(), pkix_);
  keys::AliasStore aliases(store, kept_);
  const auto error = error_of([&] { aliases.generate("data", keys::secret_key_spec("AES", 0)); });
  ASSERT_TRUE(error);
  EXPECT_THAT(error->what(), HasSubstr("no key was made"));
  for (std::size_t i = 0; i < kMembers; ++i) EXPECT_THAT(secret_names_on(i), IsEmpty());
}

TEST_F(SecretKeyOfGroup, GoesOnWorkingWithoutAMember) {
  keys::KeyStore store(group(), pkix_);
  keys::AliasStore aliases(store, kept_);
  const keys::SecretKey key = aliases.generate("data", keys::secret_key_spec("AES", 0));
  const auto operations = group()->operations();
  Bytes wrapped(40);
  const Bytes secret(32, 3);
  operations->perform(key.reference, pkcs11::WrapSecret{}, secret, wrapped, operations->deadline());
  for (std::size_t i = 0; i + 1 < kMembers; ++i) faults(i).remove_token();
  Bytes again(32);
  operations->perform(key.reference, pkcs11::UnwrapSecret{}, wrapped, again, operations->deadline());
  EXPECT_EQ(again, secret);
}

}  // namespace
}  // namespace keystay::ha
