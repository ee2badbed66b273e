// Certificates that belong to no key: what names them, and what goes with them.
#include <string_view>

#include "native/pkcs11/text.h"
#include "native/x509/certificate_bundle.h"
#include "tests/keys/certificates_test.h"

namespace keystay::keys {
namespace {

using testing::SizeIs;

class TrustedCertificates : public Certificates {};

TEST_F(TrustedCertificates, AreThoseThatBelongToNoKey) {
  const Entry entry = generate("httpd");
  store_.replace_chain(entry, reply(entry));
  const Certificate root = x509::read_certificates(ca_.root_pem()).front();
  store_.add_certificate("our root", root);
  const std::vector<TrustedCertificate> trusted = store_.list().trusted;
  ASSERT_THAT(trusted, SizeIs(1)) << "a leaf is nobody's trust anchor";
  EXPECT_EQ(trusted[0].alias, "our root");
  EXPECT_EQ(trusted[0].certificate.der, root.der);
  EXPECT_THAT(store_.chain(*store_.find("httpd")), SizeIs(3)) << "up to the root";
}

TEST_F(TrustedCertificates, AreAddedOnce) {
  const Certificate root = x509::read_certificates(ca_.root_pem()).front();
  store_.add_certificate("our root", root);
  EXPECT_TRUE(error_of([&] { store_.add_certificate("our root", root); }));
  EXPECT_EQ(certificates(), 1u);
}

TEST_F(TrustedCertificates, AreDestroyedByTheirLabel) {
  const Entry entry = generate("httpd");
  store_.replace_chain(entry, reply(entry));
  store_.add_certificate("our root", x509::read_certificates(ca_.root_pem()).front());
  store_.destroy(std::get<TrustedCertificate>(*store_.resolve("our root")));
  EXPECT_FALSE(store_.resolve("our root"));
  EXPECT_THAT(store_.list().trusted, SizeIs(0));
  EXPECT_TRUE(store_.find("httpd")->leaf);
}

// One subordinate CA, imported under a name of its own before anybody needs it.
TEST_F(TrustedCertificates, ThatAChainNeedsStayAsItsIssuers) {
  const Entry entry = generate("httpd");
  const Chain chain = with_root(reply(entry));
  store_.add_certificate("subca", chain.at(1));
  store_.replace_chain(entry, chain);
  store_.destroy(std::get<TrustedCertificate>(*store_.resolve_to_change("subca")));
  EXPECT_FALSE(store_.resolve("subca"));
  EXPECT_THAT(store_.chain(*store_.find("httpd")), SizeIs(3));
  store_.destroy(*store_.find("httpd"));
  EXPECT_EQ(certificates(), 0u) << "they go with the last alias that needs them";
}

TEST_F(TrustedCertificates, OfALabelThatALeafHasTooAreDestroyedWithoutIt) {
  const Entry entry = generate("httpd");
  const Chain chain = reply(entry);
  write_by_pkcs11_tool(chain.front(), "shared", pkcs11::hex(entry.key.reference().id()));
  store_.add_certificate("shared", x509::read_certificates(ca_.root_pem()).front());
  store_.destroy(std::get<TrustedCertificate>(*store_.resolve_to_change("shared")));
  EXPECT_TRUE(store_.find("httpd")->leaf);
  EXPECT_EQ(certificates(), 1u);
}

TEST_F(TrustedCertificates, OfOneLabelAreNamedByTheirIdsOnly) {
  write_by_pkcs11_tool(x509::read_certificates(ca_.root_pem()).front(), "ca", "0a");
  write_by_pkcs11_tool(x509::read_certificates(ca_.intermediate_pem()).front(), "ca", "0b");
  for (const std::string_view alias : {"ca", "ca#2"}) {
    EXPECT_TRUE(error_of([&] { (void)store_.resolve_to_change(alias); })) << alias;
  }
  store_.destroy(std::get<TrustedCertificate>(*store_.resolve_to_change("id:0b")));
  EXPECT_EQ(std::get<TrustedCertificate>(*store_.resolve_to_change("ca")).id, Bytes{0x0a});
}

// Exactly the trusted certificate, though a key has the name in another letter case.
TEST_F(TrustedCertificates, AreFoundByTheirExactNameFirst) {
  generate("Root");
  write_by_pkcs11_tool(x509::read_certificates(ca_.root_pem()).front(), "root", "0a");
  EXPECT_TRUE(std::holds_alternative<TrustedCertificate>(*store_.resolve("root")));
  EXPECT_FALSE(store_.find("root"));
  EXPECT_TRUE(error_of([&] { (void)store_.find("ROOT"); }));
}

}  // namespace
}  // namespace keystay::keys
