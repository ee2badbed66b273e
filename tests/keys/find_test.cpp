// Which key a name means: exactly one, or an error.
#include <thread>
#include <vector>

#include "native/pkcs11/key_search.h"
#include "native/pkcs11/text.h"
#include "tests/keys/key_store_test.h"

namespace keystay::keys {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class Find : public KeyStoreTest {
 protected:
  // A key pair made by another hand.
  void generate_by_pkcs11_tool(const std::string& label, const std::string& id) {
    hsm_.pkcs11_tool(
        {"--keypairgen", "--key-type", "EC:prime256v1", "--label", label, "--id", id, "--usage-sign"});
  }
  std::vector<std::string> aliases() {
    std::vector<std::string> names;
    for (const Entry& entry : store_.entries()) names.push_back(entry.alias);
    return names;
  }
};

TEST_F(Find, NothingOnAnEmptyToken) {
  EXPECT_FALSE(store_.find("httpd"));
  EXPECT_FALSE(store_.find(""));
  EXPECT_TRUE(store_.entries().empty());
}

TEST_F(Find, ByTheExactLabel) {
  generate("mail");
  const Entry made = generate("httpd");
  const std::optional<Entry> found = store_.find("httpd");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->key.public_key(), made.key.public_key());
  EXPECT_TRUE(signs(*found));
}

TEST_F(Find, ByALabelThatDiffersInLetterCase) {
  generate("HTTPd");
  EXPECT_EQ(store_.find("httpd")->alias, "HTTPd");
}

TEST_F(Find, PrefersTheExactLabel) {
  generate_by_pkcs11_tool("HTTPD", "0a");  // our own hand makes no two such names
  generate_by_pkcs11_tool("httpd", "0b");
  EXPECT_EQ(store_.find("httpd")->alias, "httpd");
  EXPECT_EQ(store_.find("HTTPD")->alias, "HTTPD");
  const std::optional<Error> error = error_of([&] { (void)store_.find("Httpd"); });
  ASSERT_TRUE(error) << "two keys differ from it only in letter case";
  EXPECT_EQ(error->error_class(), ErrorClass::client);
}

TEST_F(Find, ByItsId) {
  const Entry made = generate("httpd");
  const std::optional<Entry> found = store_.find("id:" + pkcs11::hex(made.key.reference().id()));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->alias, "httpd");
  EXPECT_FALSE(store_.find("id:00"));
}

TEST_F(Find, ByLabelAndId) {
  const Entry made = generate("httpd");
  const Bytes& id = made.key.reference().id();
  EXPECT_TRUE(store_.find("httpd", id));
  EXPECT_TRUE(store_.find("", id));
  EXPECT_TRUE(store_.find("httpd", {}));
  EXPECT_FALSE(store_.find("mail", id));
  EXPECT_FALSE(store_.find("httpd", Bytes{0x00}));
}

TEST_F(Find, AmongTwoKeysWithOneLabelIsAnErrorThatListsTheirIds) {
  generate_by_pkcs11_tool("httpd", "0a");
  generate_by_pkcs11_tool("httpd", "0b");
  const std::optional<Error> error = error_of([&] { (void)store_.find("httpd"); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->error_class(), ErrorClass::client);
  EXPECT_THAT(error->what(), HasSubstr("id:0a"));
  EXPECT_THAT(error->what(), HasSubstr("id:0b"));
}

TEST_F(Find, ByTheNameThatTheListGives) {
  generate_by_pkcs11_tool("httpd", "0b");
  generate_by_pkcs11_tool("httpd", "0a");
  EXPECT_THAT(aliases(), ElementsAre("httpd#1", "httpd#2"));
  EXPECT_EQ(store_.find("httpd#2")->key.reference().id(), Bytes{0x0b}) << "in the order of their ids";
  EXPECT_EQ(store_.find("id:0a")->key.reference().id(), Bytes{0x0a});
}

// The next key of that label, or the end of one, gives the number to another key.
TEST_F(Find, ByTheNameThatTheListGivesChangesNothing) {
  generate_by_pkcs11_tool("httpd", "0b");
  generate_by_pkcs11_tool("httpd", "0a");
  for (const std::string_view alias : {"httpd", "httpd#1", "HTTPD#2"}) {
    const std::optional<Error> error = error_of([&] { (void)store_.resolve_to_change(alias); });
    ASSERT_TRUE(error) << alias;
    EXPECT_THAT(error->what(), HasSubstr("by its id: id:0")) << alias;
  }
  EXPECT_TRUE(store_.resolve_to_change("id:0b"));
  generate_by_pkcs11_tool("mail#7", "0c");
  EXPECT_TRUE(store_.resolve_to_change("mail#7")) << "a label that somebody chose";
}

TEST_F(Find, ANumberThatIsALabelIsNotInvented) {
  for (const char* id : {"0a", "0b"}) generate_by_pkcs11_tool("httpd", id);
  generate_by_pkcs11_tool("httpd#1", "0c");
  EXPECT_THAT(aliases(), ElementsAre("httpd#1", "httpd#2", "httpd#3"));
  EXPECT_EQ(store_.find("httpd#1")->key.reference().id(), Bytes{0x0c});
}

TEST_F(Find, AmongAnyNumberOfNamesThatDifferInLetterCaseIsAnError) {
  for (const char* alias : {"tri2", "Tri2", "TRI2"}) {
    generate_by_pkcs11_tool(alias, alias[0] == 't' ? "01" : alias[1] == 'r' ? "02" : "03");
    EXPECT_EQ(store_.find(alias)->alias, alias);
  }
  const std::optional<Error> error = error_of([&] { (void)store_.find("tRi2"); });
  ASSERT_TRUE(error);
  EXPECT_THAT(error->what(), HasSubstr("\"TRI2\", \"Tri2\", \"tri2\""));
}

TEST_F(Find, WhatLooksLikeAnIdAndIsALabelTooIsAnError) {
  generate_by_pkcs11_tool("id:0b", "0a");
  generate_by_pkcs11_tool("httpd", "0b");
  EXPECT_TRUE(error_of([&] { (void)store_.find("id:0b"); }));
  EXPECT_EQ(store_.find("id:0a")->alias, "id:0b");
}

TEST_F(Find, KeysThatOthersMade) {
  generate_by_pkcs11_tool("theirs", "0a");
  const std::optional<Entry> found = store_.find("theirs");
  ASSERT_TRUE(found);
  EXPECT_TRUE(signs(*found));
  hsm_.pkcs11_tool({"--keypairgen", "--key-type", "rsa:2048", "--label", "rsa", "--id", "0c"});
  EXPECT_EQ(store_.find("rsa")->key.type(), CKK_RSA);
}

TEST_F(Find, KeysWithoutALabelByTheirId) {
  hsm_.pkcs11_tool({"--keypairgen", "--key-type", "EC:prime256v1", "--id", "0a", "--usage-sign"});
  EXPECT_THAT(aliases(), ElementsAre("id:0a"));
  EXPECT_EQ(store_.find("id:0a")->alias, "id:0a");
}

TEST_F(Find, ListsInTheOrderOfNames) {
  for (const char* alias : {"c", "a", "b"}) generate(alias);
  EXPECT_THAT(aliases(), ElementsAre("a", "b", "c"));
}

// The public half comes from the public key object, or from a certificate with the same CKA_ID.
TEST_F(Find, AKeyWithoutItsPublicKeyObjectByItsCertificate) {
  const Entry made = generate("httpd");
  store_.replace_chain(made, reply(made));
  hsm_.pkcs11_tool({"--delete-object", "--type", "pubkey", "--label", "httpd"});
  const std::optional<Entry> found = store_.find("httpd");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->key.public_key(), made.key.public_key());
}

// pkcs11-tool makes it so. Of two such pairs with one label nobody can tell which halves belong together.
TEST_F(Find, AKeyWithoutAnIdByThePublicKeyObjectOfItsLabel) {
  const auto generate_without_id = [&] {
    hsm_.pkcs11_tool({"--keypairgen", "--key-type", "EC:prime256v1", "--label", "bare"});
  };
  generate_without_id();
  const std::optional<Entry> found = store_.find("bare");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->public_half_source, PublicHalfSource::label);
  EXPECT_TRUE(signs(*found));
  EXPECT_THAT(aliases(), ElementsAre("bare"));
  generate_without_id();
  EXPECT_THAT(aliases(), testing::IsEmpty());
}

TEST_F(Find, NoKeyByAnIdThatIsEmpty) {
  hsm_.pkcs11_tool({"--keypairgen", "--key-type", "EC:prime256v1", "--label", "bare"});
  for (const char* alias : {"id:", "ID:"}) {
    EXPECT_FALSE(store_.find(alias)) << alias;
    EXPECT_FALSE(store_.resolve_to_change(alias)) << alias;
  }
  hsm_.pkcs11_tool({"--keypairgen", "--key-type", "rsa:2048", "--label", "bare"});
  for (const char* alias : {"bare", "bare#1"}) {
    const std::optional<Error> error = error_of([&] { (void)store_.resolve_to_change(alias); });
    ASSERT_TRUE(error) << alias;
    EXPECT_THAT(error->what(), testing::AllOf(HasSubstr("--set-id"), testing::Not(HasSubstr("id:"))))
        << alias;
  }
}

TEST_F(Find, AKeyOfWhichNothingShowsThePublicHalfIsNotListedAndSaidSo) {
  generate("httpd");
  generate("mail");
  hsm_.pkcs11_tool({"--delete-object", "--type", "pubkey", "--label", "httpd"});
  EXPECT_THAT(aliases(), ElementsAre("mail"));
  const std::optional<Error> error = error_of([&] { (void)store_.find("httpd"); });
  ASSERT_TRUE(error);
  EXPECT_THAT(error->what(), HasSubstr("neither a public key object nor a certificate"));
}

// Copies that sessions sign with are keys once more; nobody may see them as aliases.
TEST_F(Find, SeesNoCopiesOfKeysThatAreInUse) {
  const Entry made = generate("httpd");
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(signs(made));
  EXPECT_GT(faults_.calls(Function::C_CopyObject), 0u);
  EXPECT_TRUE(store_.find("httpd"));
  EXPECT_THAT(aliases(), ElementsAre("httpd"));
}

TEST_F(Find, ReadsOnlyTheObjectsOfTheAlias) {
  for (int i = 0; i < 10; ++i) generate("other" + std::to_string(i));
  generate("httpd");
  faults_.reset_calls();
  ASSERT_TRUE(store_.find("id-that-is-not-there") == std::nullopt);
  const std::uint64_t all = faults_.calls(Function::C_GetAttributeValue);
  faults_.reset_calls();
  ASSERT_TRUE(store_.find("httpd"));
  EXPECT_LT(faults_.calls(Function::C_GetAttributeValue), all / 2);
}

// A search goes through all objects of the token.
TEST_F(Find, SearchesOnceForAKeyAndOnceMoreForItsLeaf) {
  const Entry made = generate("httpd");
  store_.replace_chain(made, reply(made));
  const auto searches = [&](std::string_view label, const Bytes& id, Parts parts) {
    faults_.reset_calls();
    const std::optional<Entry> found = store_.find(label, id, parts);
    EXPECT_TRUE(found && found->key.public_key() == made.key.public_key());
    EXPECT_EQ(found && found->leaf, parts == Parts::key_and_leaf);
    return faults_.calls(Function::C_FindObjectsInit);
  };
  const Bytes& id = made.key.reference().id();
  EXPECT_EQ(searches("httpd", {}, Parts::key), 1u);
  EXPECT_EQ(searches("httpd", {}, Parts::key_and_leaf), 2u);
  EXPECT_EQ(searches("httpd", id, Parts::key_and_leaf), 1u);
  EXPECT_EQ(searches("", id, Parts::key_and_leaf), 1u);
  EXPECT_EQ(searches("", id, Parts::key), 1u);
}

// Whose certificate may say that it is one of RSASSA-PSS.
TEST_F(Find, AnRsaKeyAloneWithItsLeaf) {
  const Entry made = store_.generate("httpd", key_spec("RSA", 2048, ""));
  store_.replace_chain(made, reply(made));
  const std::optional<Entry> found = store_.find("httpd", {}, Parts::key);
  EXPECT_TRUE(found && found->leaf);
}

// Its public key object is not found by the label, and the certificate that is may be another key's.
TEST_F(Find, AKeyAloneByItsIdToo) {
  const Entry made = generate("httpd");
  const Entry other = generate("other");
  store_.replace_chain(other, reply(other));
  const Bytes& id = made.key.reference().id();
  token_->with_rw_session([&](pkcs11::Session& session) {
    for (const auto& object : read_by_id(session, pkix_, id).public_keys) {
      session.set_attributes(object.handle, std::move(pkcs11::Template().text(CKA_LABEL, "another name")));
    }
    for (const auto& object : read_by_id(session, pkix_, other.key.reference().id()).certificates) {
      session.set_attributes(object.handle,
                             std::move(pkcs11::Template().text(CKA_LABEL, "httpd").bytes(CKA_ID, id)));
    }
  });
  const std::optional<Entry> found = store_.find("httpd", {}, Parts::key);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->key.public_key(), made.key.public_key());
  EXPECT_EQ(found->public_half_source, PublicHalfSource::token);
}

// SoftHSM shows a copy in the making as a token object.
TEST_F(Find, IsNotMisledByCopiesInTheMaking) {
  const Entry made = generate("httpd");
  std::vector<std::jthread> signers;
  for (int i = 0; i < 3; ++i) {
    signers.emplace_back([&](const std::stop_token& stop) {
      const Bytes digest(32, 0x17);
      Bytes signature(64);
      while (!stop.stop_requested()) {
        const PrivateKey key(another_token(), made.key.reference());  // whose first signature makes a copy
        EXPECT_EQ(key.sign(pkcs11::Ecdsa{}, digest, signature), 64u);
      }
    });
  }
  for (int i = 0; i < 100; ++i) {
    EXPECT_TRUE(store_.find("httpd"));
    EXPECT_TRUE(store_.find("httpd", {}, Parts::key));
    EXPECT_THAT(aliases(), ElementsAre("httpd"));
  }
}

// As NSS's tools leave their keys.
TEST_F(Find, AKeyWithoutALabelByThatOfItsCertificate) {
  const Entry made = generate("httpd");
  store_.replace_chain(made, reply(made));
  token_->with_rw_session([&](pkcs11::Session& session) {
    session.set_attributes(pkcs11::find_private_key(session, made.key.reference()),
                           std::move(pkcs11::Template().text(CKA_LABEL, "")));
  });
  EXPECT_THAT(aliases(), ElementsAre("httpd"));
  const std::optional<Entry> found = store_.find("httpd");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->key.public_key(), made.key.public_key());
  store_.replace_chain(*found, reply(*found));
  EXPECT_THAT(aliases(), ElementsAre("httpd")) << "a new certificate has the name again";
}

}  // namespace
}  // namespace keystay::keys
