// Leaves and chains: which certificate is an alias's, and how it is replaced.
#include "tests/keys/certificates_test.h"

#include "native/pkcs11/key_search.h"
#include "native/pkcs11/text.h"
#include "native/x509/certificate_bundle.h"
#include "native/x509/certificate_request.h"
#include "native/x509/distinguished_name.h"
#include "native/x509/pem.h"
#include "native/x509/self_signed_certificate.h"

namespace keystay::keys {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::SizeIs;
using testing::StartsWith;

TEST_F(Certificates, OfAReplyAreOnTheTokenAsOthersReadThem) {
  const Entry entry = generate("httpd");
  const Chain chain = reply(entry);
  store_.replace_chain(entry, chain);
  const test::WitnessedObject leaf = test::libp11_object(hsm_, "certificate", "httpd");
  EXPECT_EQ(bytes(leaf.der), chain.front().der);
  EXPECT_EQ(leaf.id, pkcs11::hex(entry.key.reference().id()));
  const std::string listed = hsm_.pkcs11_tool({"--list-objects", "--type", "cert"});
  EXPECT_THAT(listed, HasSubstr("subject:    DN: CN=httpd"));
  EXPECT_THAT(listed, HasSubstr("Keystay test intermediate"));
}

TEST_F(Certificates, AreReadBackAsTheChain) {
  const Entry entry = generate("httpd");
  const Chain chain = with_root(reply(entry));
  store_.replace_chain(entry, chain);
  const std::optional<Entry> found = store_.find("httpd");
  ASSERT_TRUE(found && found->leaf);
  EXPECT_EQ(found->leaf->der, chain.front().der);
  const Chain read = store_.chain(*found);
  ASSERT_THAT(read, SizeIs(3));
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(read[i].der, chain[i].der) << i;
}

TEST_F(Certificates, OfAnEntryWithoutOneAreNoChain) { EXPECT_TRUE(store_.chain(generate("httpd")).empty()); }

TEST_F(Certificates, OfAnotherKeyAreRefusedAndNothingIsChanged) {
  const Entry entry = generate("httpd");
  const Entry other = generate("mail");
  store_.replace_chain(entry, reply(entry));
  const std::vector<std::string> before = inventory();
  const std::optional<Error> error = error_of([&] { store_.replace_chain(entry, reply(other)); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->error_class(), ErrorClass::client);
  EXPECT_THAT(error->what(), HasSubstr("does not fit the key of alias \"httpd\""));
  EXPECT_EQ(inventory(), before);
  EXPECT_TRUE(error_of([&] { store_.replace_chain(entry, {}); }));
  EXPECT_EQ(inventory(), before);
}

TEST_F(Certificates, AreReplacedByARenewal) {
  const Entry entry = generate("httpd");
  store_.replace_chain(entry, reply(entry, begun(hours(48))));
  const Chain renewed = reply(entry, begun(hours(1)));
  store_.replace_chain(entry, renewed);
  EXPECT_EQ(certificates(), 2u) << "one leaf, one issuer";
  EXPECT_EQ(store_.find("httpd")->leaf->der, renewed.front().der);
}

TEST_F(Certificates, ImportedTwiceAreThereOnce) {
  const Entry entry = generate("httpd");
  const Chain chain = reply(entry);
  store_.replace_chain(entry, chain);
  store_.replace_chain(entry, chain);
  EXPECT_EQ(certificates(), 2u);
}

// The new ones are written before the old one is deleted.
TEST_F(Certificates, OfACrashBetweenAreBothThereAndTheNewestValidOneWins) {
  const Entry entry = generate("httpd");
  store_.replace_chain(entry, reply(entry, begun(hours(48))));
  const Chain renewed = reply(entry, begun(hours(1)));
  faults_.fail(Function::C_DestroyObject, CKR_DEVICE_REMOVED);
  EXPECT_TRUE(error_of([&] { store_.replace_chain(entry, renewed); }));
  EXPECT_EQ(certificates(), 3u);
  EXPECT_EQ(store_.find("httpd")->leaf->der, renewed.front().der);
  EXPECT_EQ(store_.entries().at(0).leaf->der, renewed.front().der);
}

// CAs date certificates back, and the one that stood in for theirs is of today.
TEST_F(Certificates, OfACaArePreferredToASelfSignedOneThatBeganLater) {
  const Entry entry = generate("httpd");
  const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  const Certificate stand_in = x509::self_signed_certificate(
      entry.key, {x509::parse_name("CN=localhost"), {}, {}}, {now, std::chrono::days(90)});
  for (const Chain& chain : {reply(entry, begun(hours(12))), reply(entry, begun(hours(0)))}) {
    store_.replace_chain(entry, {stand_in});
    write_by_pkcs11_tool(chain.front(), "httpd", pkcs11::hex(entry.key.reference().id()));
    EXPECT_EQ(store_.find("httpd")->leaf->der, chain.front().der);
  }
}

// A module lists its objects in another order in each process.
TEST_F(Certificates, ThatBeganTogetherAreChosenByWhatTheyAre) {
  for (const bool longer_first : {true, false}) {
    const Entry entry = generate(longer_first ? "first" : "second");
    const LeafOptions shorter = begun(hours(3));
    LeafOptions longer = shorter;
    longer.valid_until = hours(48);
    Chain chain = reply(entry, longer);
    Certificate other = reply(entry, shorter).front();
    while (chain.front().not_before != other.not_before) {  // made in two seconds
      chain = reply(entry, longer);
      other = reply(entry, shorter).front();
    }
    store_.replace_chain(entry, longer_first ? chain : Chain{other});
    write_by_pkcs11_tool(longer_first ? other : chain.front(), entry.alias,
                         pkcs11::hex(entry.key.reference().id()));
    EXPECT_EQ(store_.find(entry.alias)->leaf->der, chain.front().der);
  }
}

TEST_F(Certificates, ThatCannotBeWrittenLeaveTheOldOne) {
  const Entry entry = generate("httpd");
  const Chain old = reply(entry);
  store_.replace_chain(entry, old);
  faults_.fail(Function::C_CreateObject, CKR_DEVICE_MEMORY, test::kEveryCall);
  EXPECT_TRUE(error_of([&] { store_.replace_chain(entry, reply(entry, begun(hours(0)))); }));
  faults_.reset();
  EXPECT_EQ(store_.find("httpd")->leaf->der, old.front().der);
}

TEST_F(Certificates, ThatAreValidArePreferredToNewerOnesThatAreNot) {
  const Entry entry = generate("httpd");
  const Chain valid = reply(entry, begun(hours(72)));
  LeafOptions expired = begun(hours(2));
  expired.valid_until = -hours(1);
  store_.replace_chain(entry, valid);
  write_by_pkcs11_tool(reply(entry, expired).front(), "httpd", pkcs11::hex(entry.key.reference().id()));
  EXPECT_EQ(store_.find("httpd")->leaf->der, valid.front().der);
}

TEST_F(Certificates, ThatHaveExpiredAreStillTheLeaf) {
  const Entry entry = generate("httpd");
  const Chain expired = reply(entry, LeafOptions::expired());
  store_.replace_chain(entry, expired);
  EXPECT_EQ(store_.find("httpd")->leaf->der, expired.front().der) << "the operator must see it to renew it";
}

// A certificate with the right label or id and another key is not the alias's.
TEST_F(Certificates, OfAnotherKeyUnderTheSameLabelAndIdAreNotTheLeaf) {
  const Entry entry = generate("httpd");
  const Entry other = generate("mail");
  write_by_pkcs11_tool(reply(other).front(), "httpd", pkcs11::hex(entry.key.reference().id()));
  EXPECT_FALSE(store_.find("httpd")->leaf);
}

TEST_F(Certificates, ThatOthersWroteUnderAnotherNameAreFoundByThePublicKey) {
  const Entry entry = generate("httpd");
  const Chain chain = reply(entry);
  write_by_pkcs11_tool(chain.front(), "something else", "0f");
  const std::optional<Entry> found = store_.find("httpd");
  ASSERT_TRUE(found && found->leaf);
  EXPECT_EQ(found->leaf->der, chain.front().der);
}

TEST_F(Certificates, OfIssuersAreSharedAndGoWithTheLastAliasThatNeedsThem) {
  const Entry first = generate("httpd");
  const Entry second = generate("mail");
  store_.replace_chain(first, reply(first));
  store_.replace_chain(second, reply(second));
  EXPECT_EQ(certificates(), 3u) << "two leaves, one intermediate";
  store_.destroy(first);
  EXPECT_THAT(store_.chain(*store_.find("mail")), SizeIs(2));
  store_.destroy(second);
  EXPECT_TRUE(inventory().empty());
}

TEST_F(Certificates, OfIssuersThatOthersWroteStay) {
  const Entry entry = generate("httpd");
  const Chain chain = reply(entry);
  write_by_pkcs11_tool(chain.at(1), "our CA", "0f");
  store_.replace_chain(entry, chain);
  EXPECT_EQ(certificates(), 2u) << "the issuer is there already";
  store_.destroy(entry);
  EXPECT_THAT(inventory(), Contains("certificate 0f our CA"));
}

// After a CA's re-key two certificates have the same name; only one of them made the signature.
TEST_F(Certificates, OfAnIssuerWithTheSameNameAndAnotherKeyIsNotInTheChain) {
  const Entry entry = generate("httpd");
  const Chain chain = reply(entry);
  const test::TestCa rekeyed;
  const Certificate stranger = x509::read_certificates(rekeyed.intermediate_pem()).front();
  ASSERT_EQ(stranger.subject, chain.at(1).subject);
  store_.add_certificate("stranger", stranger);
  store_.replace_chain(entry, chain);
  const Chain read = store_.chain(*store_.find("httpd"));
  ASSERT_THAT(read, SizeIs(2));
  EXPECT_EQ(read[1].der, chain[1].der);
}

class Rename : public Certificates {};

TEST_F(Rename, GivesKeyPairAndLeafTheNewName) {
  const Entry entry = generate("httpd");
  store_.replace_chain(entry, reply(entry));
  store_.rename(*store_.find("httpd"), "www");
  EXPECT_FALSE(store_.find("httpd"));
  const std::optional<Entry> renamed = store_.find("www");
  ASSERT_TRUE(renamed && renamed->leaf);
  EXPECT_TRUE(signs(*renamed));
  for (const std::string& line : inventory()) {
    EXPECT_THAT(line, testing::AnyOf(testing::EndsWith(" www"), HasSubstr(" issuer-")));
  }
}

TEST_F(Rename, RefusesANameThatExists) {
  const Entry entry = generate("httpd");
  generate("www");
  EXPECT_TRUE(error_of([&] { store_.rename(entry, "www"); }));
  EXPECT_TRUE(store_.find("httpd"));
}

// A server that loaded the key before goes on: it names the key by what it is.
TEST_F(Rename, LeavesKeysInUseWorking) {
  const Entry entry = generate("httpd");
  const Bytes digest(32, 0x17);
  Bytes signature(64);
  EXPECT_EQ(entry.key.sign(pkcs11::Ecdsa{}, digest, signature), 64u);
  store_.rename(entry, "www");
  faults_.drop_sessions();
  EXPECT_EQ(entry.key.sign(pkcs11::Ecdsa{}, digest, signature), 64u);
}

class Destroy : public Certificates {};

TEST_F(Destroy, RemovesKeyPairAndLeafAndNobodyElses) {
  const Entry entry = generate("httpd");
  store_.replace_chain(entry, reply(entry));
  const Entry other = generate("mail");
  const std::vector<std::string> others = {"private-key " + pkcs11::hex(other.key.reference().id()) + " mail",
                                           "public-key " + pkcs11::hex(other.key.reference().id()) + " mail"};
  store_.destroy(*store_.find("httpd"));
  EXPECT_EQ(inventory(), others);
}

// The alias of a CA, whose leaf is the issuer of others.
TEST_F(Destroy, KeepsTheLeafThatAnotherChainNeeds) {
  const std::filesystem::path& directory = hsm_.directory().path();
  const auto openssl = [&](const std::string& command) {
    const test::Outcome outcome =
        test::run({"sh", "-c", "cd " + directory.string() + " && openssl " + command});
    ASSERT_TRUE(outcome.ok()) << outcome;
  };
  openssl(
      "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=ours -keyout ca.key -out "
      "ca.pem");
  hsm_.pkcs11_tool({"--write-object", directory / "ca.key", "--type", "privkey", "--label", "subca", "--id",
                    "0c", "--usage-sign"});
  write_by_pkcs11_tool(x509::read_certificates(test::read_file(directory / "ca.pem")).front(), "subca", "0c");
  const Entry entry = generate("httpd");
  hsm_.directory().write(
      "httpd.csr", x509::to_pem(x509::kRequestLabel,
                                x509::certificate_request(entry.key, {.subject = x509::parse_name("CN=httpd"),
                                                                      .extensions = {},
                                                                      .signature_algorithm = {}})));
  openssl("x509 -req -in httpd.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 9 -out httpd.pem");
  store_.replace_chain(entry, x509::read_certificates(test::read_file(directory / "httpd.pem")));
  ASSERT_THAT(store_.chain(*store_.find("httpd")), SizeIs(2));
  store_.destroy(*store_.find("subca"));
  EXPECT_THAT(store_.chain(*store_.find("httpd")), SizeIs(2));
  EXPECT_FALSE(store_.resolve("subca"));
}

// Two private key objects of one key, as two imports by other tools leave them.
TEST_F(Destroy, OfOneOfTwoKeysWithOnePublicHalfLeavesTheOther) {
  const Entry entry = generate("httpd");
  store_.replace_chain(entry, reply(entry));
  token_->with_rw_session([&](pkcs11::Session& session) {
    const CK_OBJECT_HANDLE key = pkcs11::find_private_key(session, entry.key.reference());
    (void)session.copy_object(
        key,
        std::move(
            pkcs11::Template().flag(CKA_TOKEN, true).bytes(CKA_ID, bytes("twin")).text(CKA_LABEL, "twin")));
    const CK_OBJECT_HANDLE published = session.find_token_objects(objects_of(CKO_PUBLIC_KEY)).front();
    (void)session.copy_object(
        published,
        std::move(
            pkcs11::Template().flag(CKA_TOKEN, true).bytes(CKA_ID, bytes("twin")).text(CKA_LABEL, "twin")));
  });
  store_.destroy(*store_.find("twin"));
  EXPECT_TRUE(store_.find("httpd")->leaf);
}

TEST_F(Destroy, ThatTheTokenRefusesLosesNothing) {
  const Entry entry = generate("httpd");
  store_.replace_chain(entry, reply(entry));
  const std::vector<std::string> before = inventory();
  faults_.fail(Function::C_DestroyObject, CKR_ACTION_PROHIBITED);
  EXPECT_TRUE(error_of([&] { store_.destroy(entry); }));
  EXPECT_EQ(inventory(), before);
}

TEST_F(Destroy, EndsTheUseOfTheKeyInThisProcess) {
  const Entry entry = generate("httpd");
  ASSERT_TRUE(signs(entry));
  store_.destroy(entry);
  const Bytes digest(32, 0x17);
  Bytes signature(64);
  const std::optional<Error> error = error_of([&] { entry.key.sign(pkcs11::Ecdsa{}, digest, signature); });
  ASSERT_TRUE(error) << "a session's copy must not outlive the key";
  EXPECT_THAT(error->what(), HasSubstr("alias \"httpd\""));
}

TEST_F(Certificates, OfOneAliasAreReplacedWithoutReadingThoseOfOthers) {
  const auto reads_of = [&](const Entry& entry) {
    const Chain chain = reply(entry);
    faults_.reset_calls();
    store_.replace_chain(entry, chain);
    return faults_.calls(Function::C_GetAttributeValue);
  };
  reads_of(generate("first"));  // also stores the issuer that all share
  const std::uint64_t first_alone = reads_of(generate("second"));
  const std::uint64_t renewed_alone = reads_of(store_.find("second").value());
  for (int i = 0; i < 5; ++i) reads_of(generate("other" + std::to_string(i)));
  EXPECT_EQ(reads_of(generate("last")), first_alone);
  // The label of each certificate tells whether an issuer of somebody else is to be looked at: one read each.
  EXPECT_EQ(reads_of(store_.find("second").value()), renewed_alone + 6);
}

TEST_F(Certificates, AreListedWithTheirChainsByOneReadOfEachObject) {
  const Entry one = generate("one");
  const Chain chain = with_root(reply(one));
  store_.replace_chain(one, chain);
  const Entry bare = generate("two");
  const Certificate other = x509::read_certificates(test::TestCa().root_pem()).front();
  store_.add_certificate("root", other);
  static_cast<void>(store_.entries());
  faults_.reset_calls();

  const Listing listing = store_.list();
  const std::uint64_t objects = 2 + 2 + 1 + 2 + 1;  // two pairs; leaf, its issuers; the imported root
  EXPECT_EQ(faults_.calls(Function::C_GetAttributeValue), objects);
  EXPECT_EQ(faults_.calls(Function::C_FindObjectsInit), 4u) << "one for each class";

  ASSERT_THAT(listing.entries, SizeIs(2));
  EXPECT_EQ(listing.entries[0].entry.alias, "one");
  ASSERT_THAT(listing.entries[0].chain, SizeIs(chain.size()));
  for (std::size_t i = 0; i < chain.size(); ++i) EXPECT_EQ(listing.entries[0].chain[i].der, chain[i].der);
  EXPECT_EQ(listing.entries[1].entry.alias, "two");
  EXPECT_THAT(listing.entries[1].chain, SizeIs(0));
  ASSERT_THAT(listing.trusted, SizeIs(1)) << "issuers that came with an alias are not listed";
  EXPECT_EQ(listing.trusted[0].alias, "root");
  EXPECT_EQ(listing.trusted[0].certificate.der, other.der);
}

}  // namespace
}  // namespace keystay::keys
