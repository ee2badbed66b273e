// Which of many paths a chain takes (RFC 4158), over certificates at hand and over those of a token.
#include "native/keys/chain.h"

#include <algorithm>
#include <utility>

#include <openssl/core_names.h>

#include "native/x509/certificate_bundle.h"
#include "native/x509/openssl_types.h"
#include "native/x509/public_key.h"
#include "tests/keys/key_store_test.h"
#include "tests/support/test_party.h"

namespace keystay::keys {
namespace {

using test::end_entity;
using test::expired;
using test::Party;
using test::Terms;

Certificate read(const std::string& pem) { return x509::read_certificates(pem).front(); }

Certificate certify(const Party& subject, const Party& issuer, const Terms& terms = {}) {
  return read(test::certificate(subject, issuer, terms));
}

std::vector<Bytes> ders(const Chain& chain) {
  std::vector<Bytes> result;
  for (const Certificate& certificate : chain) result.push_back(certificate.der);
  return result;
}

// The chain must be the same whatever order a file or a token has.
void expect_chain(const Chain& expected, std::vector<Certificate> certificates) {
  const x509::OpenSslPkix pkix;
  std::ranges::sort(certificates, {}, &Certificate::der);
  for (std::size_t turn = 0; turn < certificates.size(); ++turn) {
    EXPECT_EQ(ders(build_chain(expected.front(), pkix, issuers_among(certificates))), ders(expected));
    std::ranges::rotate(certificates, certificates.begin() + 1);
  }
}

// Counts the signatures that are verified, which is what a chain costs.
class CountingPkix final : public Pkix {
 public:
  [[nodiscard]] std::optional<Certificate> decode(pkcs11::ByteView der) const override {
    return pkix_.decode(der);
  }
  [[nodiscard]] bool issued_by(const Certificate& certificate, const Certificate& issuer) const override {
    ++verifications;
    return pkix_.issued_by(certificate, issuer);
  }
  [[nodiscard]] std::optional<pkcs11::EcPublicKey> uncompressed(
      const pkcs11::EcPublicKey& key) const override {
    return pkix_.uncompressed(key);
  }
  [[nodiscard]] Bytes key_identifier(const pkcs11::PublicKey& key) const override {
    return pkix_.key_identifier(key);
  }

  mutable std::size_t verifications = 0;

 private:
  x509::OpenSslPkix pkix_;
};

class ChainTest : public testing::Test {
 protected:
  Party leaf_party_{"leaf"};
  Party middle_{"middle"};
  Party root_{"root"};
  Party old_{"old root"};
  Certificate leaf_ = certify(leaf_party_, middle_, end_entity());
  Certificate by_root_ = certify(middle_, root_);
  Certificate root_itself_ = certify(root_, root_);
};

TEST_F(ChainTest, TakesTheNewRootAndNotTheExpiredOneThatCrossSignedIt) {
  const Certificate crossed = certify(root_, old_, expired());
  const Certificate crossed_longer = certify(root_, old_);
  const Certificate old_itself = certify(old_, old_, expired());
  expect_chain({leaf_, by_root_, root_itself_}, {leaf_, by_root_, root_itself_, crossed, old_itself});
  expect_chain({leaf_, by_root_, root_itself_},
               {leaf_, by_root_, root_itself_, crossed, crossed_longer, old_itself});
}

TEST_F(ChainTest, LooksAheadForTheIntermediateWhoseRootIsValid) {
  const Certificate newer_by_old = certify(middle_, old_, {.valid_from = std::chrono::seconds(-60)});
  const Certificate old_itself = certify(old_, old_, expired());
  expect_chain({leaf_, by_root_, root_itself_}, {by_root_, newer_by_old, old_itself, root_itself_});
}

TEST_F(ChainTest, PrefersAnIntermediateThatIsValid) {
  const Certificate late = certify(middle_, root_, expired());
  expect_chain({leaf_, by_root_, root_itself_}, {late, by_root_, root_itself_});
  expect_chain({leaf_, late, root_itself_}, {late, root_itself_});
}

TEST_F(ChainTest, PrefersTheWayThatEndsInARoot) {
  const Certificate newer_without_end = certify(middle_, old_, {.valid_from = std::chrono::seconds(-60)});
  expect_chain({leaf_, by_root_, root_itself_}, {by_root_, newer_without_end, root_itself_});
}

TEST_F(ChainTest, PrefersTheShorterOfTwoGoodWays) {
  const Certificate crossed = certify(root_, old_);
  const Certificate old_itself = certify(old_, old_);
  expect_chain({leaf_, by_root_, root_itself_}, {by_root_, crossed, old_itself, root_itself_});
  expect_chain({leaf_, by_root_, crossed, old_itself}, {by_root_, crossed, old_itself});
}

TEST_F(ChainTest, TellsTwoRootsOfOneNameByTheirKeys) {
  const Party namesake("root");
  const Certificate other = certify(namesake, namesake, {.valid_from = std::chrono::seconds(-60)});
  expect_chain({leaf_, by_root_, root_itself_}, {by_root_, other, root_itself_});
  expect_chain({leaf_, by_root_}, {by_root_, other});
}

TEST_F(ChainTest, TakesNoOtherCertificateOfTheSameKeyThatIsNoCa) {
  const Certificate placeholder = certify(middle_, middle_, end_entity());
  expect_chain({leaf_, by_root_, root_itself_}, {by_root_, placeholder, root_itself_});
}

TEST_F(ChainTest, GoesOnFromACertificateThatLinksAnOldKeyWithANewOne) {
  const Party renewed("root");
  const Certificate by_renewed = certify(middle_, renewed);
  const Certificate link = certify(renewed, root_);
  ASSERT_TRUE(link.self_issued());
  expect_chain({leaf_, by_renewed, link, root_itself_}, {by_renewed, link, root_itself_});
  const Certificate renewed_itself = certify(renewed, renewed);
  expect_chain({leaf_, by_renewed, renewed_itself}, {by_renewed, link, renewed_itself, root_itself_});
}

TEST_F(ChainTest, EndsWhereCertificatesHaveIssuedEachOther) {
  const Certificate by_old = certify(middle_, old_);
  const Certificate old_by_middle = certify(old_, middle_);
  expect_chain({leaf_, by_old, old_by_middle}, {by_old, old_by_middle});
  expect_chain({leaf_, by_root_, root_itself_}, {by_old, old_by_middle, by_root_, root_itself_});
}

TEST_F(ChainTest, IsBuiltInBoundedWorkOverCasThatAllHaveIssuedEachOther) {
  std::vector<Party> parties{middle_};
  for (int i = 0; i < 19; ++i) parties.emplace_back("ca " + std::to_string(i));
  std::vector<Certificate> certificates;
  for (const Party& subject : parties) {
    for (const Party& issuer : parties) {
      if (subject.name != issuer.name) certificates.push_back(certify(subject, issuer));
    }
  }
  constexpr std::size_t kMostVerifications = 1000;  // a chain's; all paths would take more than there is time
  const CountingPkix pkix;
  EXPECT_GE(build_chain(leaf_, pkix, issuers_among(certificates)).size(), 2u);
  EXPECT_LE(std::exchange(pkix.verifications, 0), kMostVerifications);
  certificates.push_back(certify(root_, root_));
  certificates.push_back(certify(parties.back(), root_));
  EXPECT_EQ(build_chain(leaf_, pkix, issuers_among(certificates)).back().der,
            certificates.at(certificates.size() - 2).der);
  EXPECT_LE(pkix.verifications, kMostVerifications);
}

TEST_F(ChainTest, FindsAnIssuerWhoseNameIsWrittenInAnotherWay) {
  for (const test::WrittenName& name :
       {test::WrittenName{"middle", 19}, test::WrittenName{"MIDDLE", 12}, test::WrittenName{" middle  ", 12},
        test::WrittenName{"Middle", 22}}) {
    const Certificate renamed = certify(middle_, root_, {.subject = name});
    ASSERT_NE(renamed.subject, leaf_.issuer);
    expect_chain({leaf_, renamed, root_itself_}, {renamed, root_itself_});
  }
  const Certificate root_otherwise = certify(root_, root_, {.issuer = {"ROOT", 19}});
  expect_chain({leaf_, by_root_, root_otherwise}, {by_root_, root_otherwise});
}

class ChainOnTokenTest : public KeyStoreTest {
 protected:
  // The certificate of the key under test by `issuer`.
  Certificate leaf(const Entry& entry, const Party& issuer) {
    const x509::EvpPkey key = x509::to_evp_pkey(entry.key.public_key(), nullptr);
    EVP_PKEY_up_ref(key.get());
    return certify({"web", std::shared_ptr<EVP_PKEY>(key.get(), EVP_PKEY_free)}, issuer, end_entity());
  }

  Party middle_{"middle"};
  Party root_{"root"};
  Party old_{"old root"};
};

TEST_F(ChainOnTokenTest, AnIssuerIsFoundThoughItsNameIsWrittenInAnotherWay) {
  const Entry entry = generate("web");
  const Certificate leaf = this->leaf(entry, middle_);
  const Certificate middle = certify(middle_, root_, {.subject = {"MIDDLE", 19}});
  const Certificate root = certify(root_, root_, {.subject = {"Root", 19}, .issuer = {"root", 12}});
  store_.replace_chain(entry, {leaf, middle, root});
  EXPECT_EQ(ders(store_.chain(*store_.find("web"))), ders({leaf, middle, root}));
  EXPECT_EQ(ders(store_.list().entries.at(0).chain), ders({leaf, middle, root}));
}

TEST_F(ChainOnTokenTest, ARootThatIsValidComesBeforeAnExpiredOneThatCrossSignedIt) {
  const Entry entry = generate("web");
  const Certificate leaf = this->leaf(entry, middle_);
  const Certificate middle = certify(middle_, root_);
  const Certificate root = certify(root_, root_, {.valid_from = -std::chrono::hours(3)});
  store_.add_certificate("crossed", certify(root_, old_, {.subject = {"ROOT", 12}}));
  store_.add_certificate("old", certify(old_, old_, expired()));
  store_.replace_chain(entry, {leaf, middle, root});
  EXPECT_EQ(ders(store_.chain(*store_.find("web"))), ders({leaf, middle, root}));
  EXPECT_EQ(ders(store_.list().entries.at(0).chain), ders({leaf, middle, root}));
}

// The CA's key is an alias too, and its new certificate has another name.
TEST_F(ChainOnTokenTest, ACaCertificateStaysForAChainThatWritesItsNameInAnotherWay) {
  const Party ca("sub ca");
  Bytes half(32);
  BIGNUM* number = nullptr;
  ASSERT_EQ(EVP_PKEY_get_bn_param(ca.key.get(), OSSL_PKEY_PARAM_PRIV_KEY, &number), 1);
  const x509::BigNumber owner(number);
  ASSERT_EQ(BN_bn2binpad(number, half.data(), 32), 32);
  const Entry ca_entry = store_.import_key("ca", {x509::from_evp_pkey(ca.key.get()), {half}});
  const Certificate old = certify(ca, root_);
  store_.replace_chain(ca_entry, {old});

  const Entry entry = generate("web");
  const Certificate leaf = this->leaf(entry, Party("SUB CA", ca.key));
  store_.replace_chain(entry, {leaf});
  ASSERT_EQ(ders(store_.chain(*store_.find("web"))), ders({leaf, old}));
  store_.replace_chain(ca_entry, {certify(Party("renamed ca", ca.key), root_)});
  EXPECT_EQ(ders(store_.chain(*store_.find("web"))), ders({leaf, old}));
  store_.destroy(entry);
  EXPECT_EQ(store_.list().entries.size(), 1u);
}

}  // namespace
}  // namespace keystay::keys
