#include "native/x509/pem_reference.h"

#include <gmock/gmock.h>

#include "native/pkcs11/error.h"
#include "native/x509/error.h"
#include "native/x509/pem.h"
#include "native/x509/public_key.h"
#include "tests/support/process.h"
#include "tests/x509/fixture.h"

namespace keystay::x509 {
namespace {

using pkcs11::Bytes;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

class PemReference : public CleanQueueTest {
 protected:
  PemReference() {
    uri_.token = "web";
    uri_.serial = "0123456789abcdef";
    uri_.object = "https d;x";
    uri_.id = {0x00, 0xff, 0x3b};
    uri_.type = CKO_PRIVATE_KEY;
    uri_.spki = encode_spki_attribute(key_);
  }

  pkcs11::PublicKey key_ = from_evp_pkey(software_key("EC:P-256").get());
  pkcs11::Uri uri_;
};

TEST_F(PemReference, ComesBackAsItWasWritten) {
  const pkcs11::Uri read = decode_pem_reference(encode_pem_reference(uri_));
  EXPECT_EQ(read.token, uri_.token);
  EXPECT_EQ(read.serial, uri_.serial);
  EXPECT_EQ(read.object, uri_.object);
  EXPECT_EQ(read.id, uri_.id);
  EXPECT_EQ(read.type, uri_.type);
  EXPECT_EQ(decode_spki_attribute(read.spki), key_);
}

// The form of pkcs11-provider's tools/uri2pem.py: SEQUENCE { VisibleString, UTF8String }.
TEST_F(PemReference, HasTheSyntaxOfPkcs11Provider) {
  EXPECT_THAT(encode_pem_reference(uri_), testing::StartsWith("-----BEGIN PKCS#11 PROVIDER URI-----\n"));
  const std::string text =
      test::run_or_throw({"openssl", "asn1parse"}, {.input = encode_pem_reference(uri_)});
  EXPECT_THAT(text, ContainsRegex("cons: SEQUENCE"));
  EXPECT_THAT(text, ContainsRegex("prim: VISIBLESTRING +:PKCS#11 Provider URI v1.0\n"));
  EXPECT_THAT(text, ContainsRegex("prim: UTF8STRING +:pkcs11:.*type=private.keystay-spki="));
}

TEST_F(PemReference, IsReadFromPkcs11ProvidersFiles) {
  // ASN.1 by another hand; no public key in it.
  const std::string uri = "pkcs11:token=web;object=httpd;type=private";
  Bytes der{0x30, static_cast<std::uint8_t>(2 + 25 + 2 + uri.size()), 0x1a, 25};
  constexpr std::string_view description = "PKCS#11 Provider URI v1.0";
  der.insert(der.end(), description.begin(), description.end());
  der.insert(der.end(), {0x0c, static_cast<std::uint8_t>(uri.size())});
  der.insert(der.end(), uri.begin(), uri.end());
  const pkcs11::Uri read = decode_reference(der);
  EXPECT_EQ(read.token, "web");
  EXPECT_EQ(read.object, "httpd");
  EXPECT_EQ(read.spki, "");
}

TEST_F(PemReference, IsFoundAmongOtherBlocks) {
  const std::string other = to_pem(kCertificateLabel, Bytes{1, 2, 3});
  EXPECT_EQ(decode_pem_reference("text\n" + other + encode_pem_reference(uri_)).object, uri_.object);
  EXPECT_THAT([&] { static_cast<void>(decode_pem_reference(other)); },
              testing::ThrowsMessage<Error>("there is no PEM block \"PKCS#11 PROVIDER URI\" in it"));
}

TEST_F(PemReference, IsRefusedIfItIsDamaged) {
  const Bytes der = encode_reference(uri_);
  for (std::size_t size = 0; size < der.size(); ++size) {
    EXPECT_THROW((void)decode_reference({der.data(), size}), Error) << size;
  }
  Bytes longer = der;
  longer.push_back(0);
  EXPECT_THROW((void)decode_reference(longer), Error);
}

TEST_F(PemReference, IsRefusedInAVersionThatIsNotKnown) {
  Bytes der = encode_reference(uri_);
  const std::string text(der.begin(), der.end());
  der[text.find("v1.0") + 1] = '2';
  EXPECT_THAT([&] { static_cast<void>(decode_reference(der)); },
              testing::ThrowsMessage<Error>(HasSubstr("version")));
}

// p11-kit's builder never writes the PIN; the reference is a file that all may read.
TEST_F(PemReference, CarriesNoPin) {
  uri_.pin_value = pkcs11::UriPin(pkcs11::Pin("s3cret"));
  EXPECT_THAT(pkcs11::format_uri(decode_pem_reference(encode_pem_reference(uri_))), Not(HasSubstr("s3cret")));
}

TEST_F(PemReference, HasAPublicKeyOfEveryLengthInBase64url) {
  for (const char* kind : {"RSA:2048", "RSA:3072", "EC:P-256", "EC:P-384", "EC:P-521", "ED25519", "ED448"}) {
    const pkcs11::PublicKey key = from_evp_pkey(software_key(kind).get());
    const std::string attribute = encode_spki_attribute(key);
    EXPECT_THAT(attribute, testing::MatchesRegex("[A-Za-z0-9_-]+")) << kind;
    EXPECT_EQ(decode_spki_attribute(attribute), key) << kind;
  }
}

TEST_F(PemReference, IsRefusedWithAPublicKeyThatIsNone) {
  const std::string good = encode_spki_attribute(key_);
  for (const std::string& bad : {std::string(), std::string("A"), std::string("!!!!"), std::string("AAAA"),
                                 good.substr(1), good.substr(0, good.size() - 1), good + "AAAA"}) {
    EXPECT_THROW((void)decode_spki_attribute(bad), Error) << bad;
  }
}

}  // namespace
}  // namespace keystay::x509
