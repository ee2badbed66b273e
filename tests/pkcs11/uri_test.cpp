// PKCS #11 URIs (RFC 7512).
#include "native/pkcs11/uri.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "native/pkcs11/error.h"

namespace keystay::pkcs11 {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(Uri, OfEveryAttributeIsTakenApart) {
  const Uri uri = parse_uri(
      "pkcs11:token=The%20Software%20PKCS%2311%20Softtoken;manufacturer=SoftHSM;serial=4DECE63D;model=v2;"
      "object=httpd;id=%69%95%3E%5C%F4%BD%EC%91;type=private"
      "?module-path=/usr/lib/softhsm/libsofthsm2.so&pin-source=file:/etc/keystay/web.pin");
  EXPECT_EQ(uri.token, "The Software PKCS#11 Softtoken");
  EXPECT_EQ(uri.manufacturer, "SoftHSM");
  EXPECT_EQ(uri.serial, "4DECE63D");
  EXPECT_EQ(uri.model, "v2");
  EXPECT_EQ(uri.object, "httpd");
  EXPECT_EQ(uri.id, (Bytes{0x69, 0x95, 0x3E, 0x5C, 0xF4, 0xBD, 0xEC, 0x91}));
  EXPECT_EQ(uri.type, CKO_PRIVATE_KEY);
  EXPECT_EQ(uri.module_path, "/usr/lib/softhsm/libsofthsm2.so");
  EXPECT_EQ(uri.pin_source, "file:/etc/keystay/web.pin");
}

TEST(Uri, WithoutAttributesMeansAnything) {
  const Uri uri = parse_uri("pkcs11:");
  EXPECT_EQ(uri.token, "");
  EXPECT_EQ(uri.object, "");
  EXPECT_TRUE(uri.id.empty());
  EXPECT_EQ(uri.type, std::nullopt);
}

TEST(Uri, ReadsAPinButNeverWritesOne) {
  Uri uri = parse_uri("pkcs11:token=web?pin-value=123456");
  EXPECT_EQ(uri.pin_value, "123456");
  EXPECT_THAT(format_uri(uri), Not(HasSubstr("123456")));
  EXPECT_THAT(format_uri(uri), Not(HasSubstr("pin-value")));
}

TEST(Uri, SurvivesTheRoundTrip) {
  Uri uri;
  uri.token = "web & more; 100% = \"x\"?";
  uri.serial = "0123456789abcdef";
  uri.manufacturer = "Example GmbH";
  uri.model = "HSM 7";
  uri.object = "schlüssel/1 #2";
  uri.id = {0x00, 0xff, 0x25, 0x3b};
  uri.type = CKO_CERTIFICATE;
  uri.module_path = "/opt/my hsm/lib&x.so";
  uri.pin_source = "file:/etc/key stay/pin";
  uri.spki = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE-_";
  const Uri again = parse_uri(format_uri(uri));
  EXPECT_EQ(again.token, uri.token);
  EXPECT_EQ(again.serial, uri.serial);
  EXPECT_EQ(again.manufacturer, uri.manufacturer);
  EXPECT_EQ(again.model, uri.model);
  EXPECT_EQ(again.object, uri.object);
  EXPECT_EQ(again.id, uri.id);
  EXPECT_EQ(again.type, uri.type);
  EXPECT_EQ(again.module_path, uri.module_path);
  EXPECT_EQ(again.pin_source, uri.pin_source);
  EXPECT_EQ(again.spki, uri.spki);
  EXPECT_EQ(format_uri(again), format_uri(uri));
}

TEST(Uri, OfEveryTypeOfObject) {
  EXPECT_EQ(parse_uri("pkcs11:type=public").type, CKO_PUBLIC_KEY);
  EXPECT_EQ(parse_uri("pkcs11:type=cert").type, CKO_CERTIFICATE);
  EXPECT_EQ(parse_uri("pkcs11:type=secret-key").type, CKO_SECRET_KEY);
  EXPECT_EQ(parse_uri("pkcs11:type=data").type, CKO_DATA);
}

TEST(Uri, ThatIsNoneIsRefused) {
  for (const char* text : {"", "httpd", "pkcs12:token=web", "pkcs11:token=%zz", "pkcs11:type=nonsense",
                           "https://example.org/"}) {
    try {
      (void)parse_uri(text);
      ADD_FAILURE() << "accepted: " << text;
    } catch (const Error& error) {
      EXPECT_EQ(error.error_class(), ErrorClass::client);
      EXPECT_THAT(error.what(), HasSubstr("PKCS#11 URI"));
    }
  }
}

// A restriction that is not understood must not be ignored.
TEST(Uri, WithAnUnknownAttributeIsRefused) {
  for (const char* attribute :
       {";flavour=sweet", ";slot-id=1", ";slot-description=x", ";slot-manufacturer=x",
        ";library-description=x", ";library-manufacturer=x", ";library-version=1", "?module-name=softhsm2"}) {
    EXPECT_THROW((void)parse_uri(std::string("pkcs11:token=web") + attribute), Error) << attribute;
  }
}

TEST(Uri, WithAZeroByteIsRefused) {
  EXPECT_THROW((void)parse_uri(std::string_view("pkcs11:token=web\0;object=httpd", 31)), Error);
}

TEST(Uri, WithTwoPinsIsRefused) {
  EXPECT_THROW((void)parse_uri("pkcs11:token=web?pin-source=file:/pin&pin-value=1"), Error);
}

TEST(Uri, IsRefusedWithoutRepeatingItsPin) {
  for (const char* text : {"pkcs11:token=%zz?pin-value=s3cret", "pkcs11:flavour=sweet?pin-value=s3cret",
                           "pkcs11:token=web?pin-value=s3cret&pin-value=s3cret2",
                           "pkcs11:token=web?pin-source=file:/pin&pin-value=s3cret"}) {
    try {
      (void)parse_uri(text);
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), Not(HasSubstr("s3cret"))) << text;
    }
  }
}

TEST(Uri, OfATokenAttributeThatIsTooLongIsNotWritten) {
  Uri uri;
  uri.token = std::string(33, 'x');  // CK_TOKEN_INFO.label has 32 bytes
  EXPECT_THROW((void)format_uri(uri), Error);
}

}  // namespace
}  // namespace keystay::pkcs11
