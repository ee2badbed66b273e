// The rules by which the aliases of a token and a key store file change together, for the tool and for Java:
// here with a file in memory, as Java has it. tests/keystore-tools has the same with files.
#include "native/keys/alias_store.h"

#include "native/config/error.h"
#include "native/keys/kept_file.h"
#include "native/x509/certificate_bundle.h"
#include "tests/keys/key_store_test.h"

namespace keystay::keys {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::Optional;

std::string file(std::string_view lines) {
  return std::string(config::kKeyStoreMagic) + "\n# the operator's comment\n" + std::string(lines);
}

std::string listed(std::string_view deletion, std::string_view aliases) {
  return file("scope = \"listed\"\ndelete = \"" + std::string(deletion) + "\"\naliases = [" +
              std::string(aliases) + "]\n");
}

// A key store as Java has loaded it.
struct Loaded {
  KeptFile file;
  AliasStore aliases;

  Loaded(KeyStore& keys, std::string text)
      : file(KeptFile::in_memory(std::move(text))), aliases(keys, file) {}

  std::vector<std::string> list() const { return file.content().aliases; }
};

class AliasStoreTest : public KeyStoreTest {
 protected:
  Entry unfinished() { return store_.generate_unfinished({key_spec("EC", 256, ""), KeyUse::sign}); }

  std::vector<std::string> names() {
    std::vector<std::string> names;
    for (const Entry& entry : store_.entries()) names.push_back(entry.alias);
    return names;
  }
};

TEST_F(AliasStoreTest, WhatWasReadIsWrittenByteForByteUntilTheListChanges) {
  const std::string text = listed("destroy", "'web'");
  Loaded loaded(store_, text);
  EXPECT_EQ(loaded.file.text(), text);
  const Entry web = generate("web");
  EXPECT_EQ(loaded.aliases.set_key("web", web, {}).alias, "web");
  EXPECT_EQ(loaded.file.text(), text);
  loaded.aliases.set_key("ftpd", web, {});
  EXPECT_THAT(loaded.file.text(), Not(HasSubstr("comment")));
  EXPECT_EQ(config::parse_key_store(loaded.file.text(), "").aliases, loaded.list());
  EXPECT_THAT(loaded.list(), ElementsAre("ftpd"));
}

// A name on the list means what it would mean in a command.
TEST_F(AliasStoreTest, TheListNamesAliasesInAnyLetterCase) {
  for (const char* label : {"httpd", "mail", "ü"}) static_cast<void>(generate(label));
  for (const char* label : {"tri2", "Tri2"})
    hsm_.pkcs11_tool({"--keypairgen", "--key-type", "EC:prime256v1", "--label", label, "--id",
                      label == std::string("tri2") ? "31" : "32", "--usage-sign"});
  Loaded loaded(store_, listed("forget", "'HttpD', 'Ü', 'tRI2'"));
  std::vector<std::string> shown;
  for (const ListedEntry& entry : loaded.aliases.list().entries) shown.push_back(entry.entry.alias);
  EXPECT_THAT(shown, ElementsAre("httpd", "ü")) << "which of two is meant, tRI2 does not say";
  EXPECT_TRUE(loaded.aliases.find("httpd"));
  EXPECT_FALSE(loaded.aliases.find("tri2"));
  EXPECT_FALSE(loaded.aliases.find("mail"));
  loaded.aliases.remove("httpd");
  EXPECT_THAT(loaded.list(), ElementsAre("Ü", "tRI2"));
  Loaded exact(store_, listed("forget", "'tri2'"));
  EXPECT_EQ(exact.aliases.entries().size(), 1U);
  EXPECT_EQ(exact.aliases.entries().front().alias, "tri2");
}

TEST_F(AliasStoreTest, AnUnfinishedKeyGetsItsChainAndItsAlias) {
  Loaded loaded(store_, listed("destroy", ""));
  const Entry key = unfinished();
  const Entry entry = loaded.aliases.set_key("web", key, reply(key));
  EXPECT_EQ(entry.alias, "web");
  EXPECT_TRUE(entry.leaf);
  EXPECT_THAT(loaded.list(), ElementsAre("web"));
  EXPECT_TRUE(loaded.aliases.find("web"));
}

TEST_F(AliasStoreTest, AKeyOfAnotherNameIsRenamedWithItsChain) {
  Loaded loaded(store_, file(""));
  const Entry web = generate("web");
  const Entry renamed = loaded.aliases.set_key("ftpd", web, reply(web));
  EXPECT_EQ(renamed.alias, "ftpd");
  EXPECT_TRUE(renamed.leaf);
  EXPECT_THAT(names(), ElementsAre("ftpd"));
}

TEST_F(AliasStoreTest, ANameThatIsRefusedLeavesTheChainAsItWas) {
  Loaded loaded(store_, file(""));
  const Entry web = generate("web");
  generate("taken");
  for (const char* alias : {"taken", "TAKEN", "issuer-1"})
    EXPECT_TRUE(error_of([&] { loaded.aliases.set_key(alias, web, reply(web)); })) << alias;
  EXPECT_FALSE(store_.find("web")->leaf);
}

TEST_F(AliasStoreTest, AnAliasOfSomethingElseIsNotSet) {
  Loaded loaded(store_, file(""));
  generate("web");
  const Certificate root = x509::read_certificates(ca_.root_pem()).front();
  loaded.aliases.set_certificate("root", root);
  loaded.aliases.set_certificate("root", root);
  const Entry key = unfinished();
  for (const char* alias : {"web", "root"}) {
    const auto refused = error_of([&] { loaded.aliases.set_key(alias, key, reply(key)); });
    ASSERT_TRUE(refused) << alias;
    EXPECT_THAT(refused->what(), HasSubstr("delete it first"));
  }
  EXPECT_TRUE(error_of([&] { loaded.aliases.set_certificate("web", root); }));
  EXPECT_TRUE(error_of([&] { loaded.aliases.set_certificate("root", reply(key).front()); }));
  EXPECT_THAT(loaded.aliases.list().trusted, testing::SizeIs(1));
}

TEST_F(AliasStoreTest, WhatTheFileHidesIsNeitherFoundNorChanged) {
  Loaded loaded(store_, listed("destroy", "\"shown\""));
  const Entry hidden = generate("hidden");
  generate("shown");
  EXPECT_FALSE(loaded.aliases.resolve("hidden"));
  EXPECT_FALSE(loaded.aliases.remove_as_read("hidden", nullptr));
  EXPECT_TRUE(error_of([&] { loaded.aliases.remove("hidden"); }));
  EXPECT_TRUE(error_of([&] { loaded.aliases.set_key("mine", hidden, {}); }));
  EXPECT_THAT(loaded.aliases.entries(), testing::SizeIs(1));
  EXPECT_THAT(names(), ElementsAre("hidden", "shown"));
}

TEST_F(AliasStoreTest, ForgettingTakesOffTheListAndLeavesTheToken) {
  Loaded loaded(store_, listed("forget", "\"web\", \"gone\""));
  const Entry web = generate("web");
  EXPECT_TRUE(loaded.aliases.remove_as_read("web", &web.key.reference()));
  EXPECT_FALSE(loaded.aliases.remove_as_read("web", nullptr));
  loaded.aliases.remove("gone");
  EXPECT_THAT(loaded.list(), IsEmpty());
  EXPECT_THAT(names(), ElementsAre("web"));
}

TEST_F(AliasStoreTest, ANameThatIsNothingOnTheTokenComesOffTheList) {
  Loaded loaded(store_, listed("destroy", "\"gone\""));
  loaded.aliases.remove("gone");
  EXPECT_THAT(loaded.list(), IsEmpty());
  const auto refused = error_of([&] { loaded.aliases.remove("gone"); });
  ASSERT_TRUE(refused);
  EXPECT_THAT(refused->what(), HasSubstr("does not exist"));
}

TEST_F(AliasStoreTest, OnlyWhatWasReadIsDestroyed) {
  Loaded loaded(store_, file(""));
  const Entry before = generate("web");
  EXPECT_TRUE(error_of([&] { (void)loaded.aliases.remove_as_read("web", nullptr); }));
  store_.destroy(before);
  EXPECT_TRUE(error_of([&] { (void)loaded.aliases.remove_as_read("web", &before.key.reference()); }));
  const Entry after = generate("web");
  EXPECT_TRUE(error_of([&] { (void)loaded.aliases.remove_as_read("web", &before.key.reference()); }));
  EXPECT_THAT(names(), ElementsAre("web"));
  EXPECT_TRUE(loaded.aliases.remove_as_read("web", &after.key.reference()));
  EXPECT_THAT(names(), IsEmpty());
}

TEST_F(AliasStoreTest, OnATokenThatNobodyNamedAliasesAreMadeAndNoneIsChanged) {
  KeptFile guess = KeptFile::of_unnamed_token("web", "nobody has named the token");
  AliasStore aliases(store_, guess);
  const Entry key = unfinished();
  const Entry made = aliases.set_key("made", key, reply(key));
  const auto refused = [&](const std::function<void()>& change) { EXPECT_THROW(change(), config::Error); };
  refused([&] { aliases.set_key("made", made, reply(made)); });
  refused([&] { aliases.set_key("other", made, {}); });
  refused([&] { aliases.rename("made", "other"); });
  refused([&] { aliases.replace_chain(made, reply(made)); });
  refused([&] { aliases.remove("made"); });
  refused([&] { (void)aliases.remove_as_read("made", &made.key.reference()); });
  EXPECT_FALSE(aliases.remove_as_read("nowhere", nullptr));
  EXPECT_THAT(names(), ElementsAre("made"));
  EXPECT_THAT(guess.text(), HasSubstr("token = \"web\""));
}

}  // namespace
}  // namespace keystay::keys
