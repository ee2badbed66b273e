// Which of several ways up from a leaf is sent, out of a PEM file that has them all.
#include "tlsd/tls/chain.h"

#include <algorithm>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/pem.h>

#include "native/keys/chain.h"
#include "native/x509/certificate_bundle.h"
#include "native/x509/openssl_pkix.h"
#include "tests/support/test_party.h"

namespace keystay::tlsd {
namespace {

using test::expired;
using test::Terms;
using testing::ElementsAre;

X509Handle read(const std::string& pem) {
  const BioHandle bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  X509Handle certificate(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
  if (!certificate) throw std::runtime_error("no certificate: " + pem);
  return certificate;
}

// Names of certificates are "SUBJECT by ISSUER"; subjects and issuers are the names of keys.
class ChainTest : public testing::Test {
 protected:
  void issue(const std::string& subject, const std::string& issuer, const Terms& terms = {}) {
    issue_as(subject, subject, issuer, terms);
  }
  // A CA of this name, whose key is the subject's: a renewed CA keeps its name.
  void issue_as(const std::string& name, const std::string& subject, const std::string& issuer,
                const Terms& terms = {}) {
    parties_.try_emplace(subject, name);
    pem_[subject + " by " + issuer] = test::certificate(parties_.at(subject), parties_.at(issuer), terms);
  }

  // Of the certificates above the leaf, out of a file with these.
  std::vector<std::string> sent(const std::string& leaf, const std::vector<std::string>& names) {
    std::vector<X509Handle> others;
    for (const std::string& name : names) others.push_back(certificate(name));
    const X509Stack chain = build_chain(certificate(leaf).get(), others);
    std::vector<std::string> result;
    for (int i = 0; i < sk_X509_num(chain.get()); ++i) {
      for (const std::string& name : names) {
        if (X509_cmp(certificate(name).get(), sk_X509_value(chain.get(), i)) == 0) {
          result.push_back(name);
          break;
        }
      }
    }
    expect_same_way_on_a_token(leaf, names, result);
    return result;
  }
  // Of a chain on a token native/keys chooses the same way, root included, but without certificates beside
  // it.
  void expect_same_way_on_a_token(const std::string& leaf, const std::vector<std::string>& names,
                                  const std::vector<std::string>& sent) const {
    const x509::OpenSslPkix pkix;
    std::vector<keys::Certificate> others;
    for (const std::string& name : names) others.push_back(certificate_of_token(name));
    const keys::Chain chain =
        keys::build_chain(certificate_of_token(leaf), pkix, keys::issuers_among(others));
    const bool has_root = keys::is_self_signed(chain.back(), pkix);
    std::vector<std::string> way;
    for (std::size_t i = 1; i + (has_root ? 1 : 0) < chain.size(); ++i) {
      const auto at = std::ranges::find(others, chain[i].der, &keys::Certificate::der);
      way.push_back(names[static_cast<std::size_t>(at - others.begin())]);
    }
    if (has_root) {
      EXPECT_LE(way.size(), sent.size());
    }
    const std::size_t common = std::min(way.size(), sent.size());
    EXPECT_EQ(std::vector(way.begin(), way.begin() + static_cast<std::ptrdiff_t>(common)),
              std::vector(sent.begin(), sent.begin() + static_cast<std::ptrdiff_t>(common)));
  }
  // Likewise; the same whatever the order in the file is.
  std::vector<std::string> sent_in_any_order(const std::string& leaf, std::vector<std::string> names) {
    std::ranges::sort(names);
    const std::vector<std::string> first = sent(leaf, names);
    while (std::ranges::next_permutation(names).found) {
      const std::vector<std::string> next = sent(leaf, names);
      if (next != first) {
        ADD_FAILURE() << "another order: " << testing::PrintToString(names);
        return next;
      }
    }
    return first;
  }

 private:
  X509Handle certificate(const std::string& name) const { return read(pem_.at(name)); }
  keys::Certificate certificate_of_token(const std::string& name) const {
    return x509::read_certificates(pem_.at(name)).front();
  }

  std::map<std::string, test::Party> parties_;  // by the names of their keys
  std::map<std::string, std::string> pem_;      // by the names of the certificates
};

TEST_F(ChainTest, AWayThatIsValidIsTakenBesideOneByAnExpiredRoot) {
  issue("new root", "new root");
  issue("old root", "old root", expired());
  issue("new root", "old root");
  issue("intermediate", "new root");
  issue("leaf", "intermediate");
  EXPECT_THAT(sent_in_any_order("leaf by intermediate", {"intermediate by new root", "new root by new root",
                                                         "new root by old root", "old root by old root"}),
              ElementsAre("intermediate by new root"));
}

TEST_F(ChainTest, AWayThatFailsLaterOnIsNotTaken) {
  issue("root", "root");
  issue("other", "root", expired());
  issue("intermediate", "other");
  issue("intermediate", "root");
  issue("leaf", "intermediate");
  EXPECT_THAT(sent_in_any_order("leaf by intermediate", {"intermediate by other", "intermediate by root",
                                                         "other by root", "root by root"}),
              ElementsAre("intermediate by root"));
}

TEST_F(ChainTest, AWayWithoutItsRootIsTakenForWantOfAValidOne) {
  issue("root", "root");
  issue("other root", "other root");
  issue("other", "other root");
  issue("intermediate", "other");
  issue("intermediate", "root", expired());
  issue("leaf", "intermediate");
  EXPECT_THAT(sent_in_any_order("leaf by intermediate", {"intermediate by other", "intermediate by root",
                                                         "other by other root", "root by root"}),
              ElementsAre("intermediate by other", "other by other root"));
}

TEST_F(ChainTest, TheShortOneOfTwoIsTaken) {
  issue("root", "root");
  issue("other", "root");
  issue("intermediate", "other");
  issue("intermediate", "root");
  issue("leaf", "intermediate");
  EXPECT_THAT(sent_in_any_order("leaf by intermediate", {"intermediate by other", "intermediate by root",
                                                         "other by root", "root by root"}),
              ElementsAre("intermediate by root"));
}

TEST_F(ChainTest, AnExpiredOneIsTakenForWantOfAnyOther) {
  issue("root", "root");
  issue("intermediate", "root", expired());
  issue("leaf", "intermediate");
  EXPECT_THAT(sent_in_any_order("leaf by intermediate", {"intermediate by root", "root by root"}),
              ElementsAre("intermediate by root"));
}

// RFC 4210, section 4.4: two of the four certificates of a CA with a new key.
TEST_F(ChainTest, OfTwoLinkCertificatesTheOneThatLeadsAwayIsSent) {
  issue_as("The CA", "old", "old");
  issue_as("The CA", "new", "new");
  issue_as("The CA", "new", "old");
  issue_as("The CA", "old", "new");
  issue("leaf", "new");
  EXPECT_THAT(sent_in_any_order("leaf by new", {"old by old", "new by new", "new by old", "old by new"}),
              ElementsAre("new by old"));
}

TEST_F(ChainTest, LinkCertificatesOfTwoGenerationsAreSent) {
  issue_as("The CA", "first", "first");
  issue_as("The CA", "second", "second");
  issue_as("The CA", "third", "third");
  issue_as("The CA", "second", "first");
  issue_as("The CA", "third", "second");
  issue("leaf", "third");
  EXPECT_THAT(sent_in_any_order("leaf by third", {"first by first", "second by second", "third by third",
                                                  "second by first", "third by second"}),
              ElementsAre("third by second", "second by first"));
}

TEST_F(ChainTest, CertificatesThatHaveIssuedEachOtherComeToAnEnd) {
  issue("one", "one");
  issue("other", "one");
  issue("one", "other");
  issue("leaf", "one");
  EXPECT_THAT(sent_in_any_order("leaf by one", {"one by other", "other by one"}),
              ElementsAre("one by other"));
}

TEST_F(ChainTest, WhatStandsTwiceIsSentOnce) {
  issue("root", "root");
  issue("intermediate", "root");
  issue("leaf", "intermediate");
  EXPECT_THAT(
      sent("leaf by intermediate", {"leaf by intermediate", "intermediate by root", "intermediate by root"}),
      ElementsAre("intermediate by root"));
}

TEST_F(ChainTest, ASelfSignedLeafHasNone) {
  issue("leaf", "leaf");
  EXPECT_THAT(sent("leaf by leaf", {"leaf by leaf"}), ElementsAre());
}

}  // namespace
}  // namespace keystay::tlsd
