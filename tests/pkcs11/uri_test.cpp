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
  ASSERT_TRUE(uri.pin_value);
  EXPECT_TRUE(uri.pin_value->equals(Pin("123456")));
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
  for (const char* text :
       {"pkcs11:token=%zz?pin-value=s3cret", "pkcs11:flavour=sweet?pin-value=s3cret",
        "pkcs11:token=web?pin-value=s3cret&pin-value=s3cret2",
        "pkcs11:token=web?pin-source=file:/pin&pin-value=s3cret", "pkcs11:token=web?pin-value=a&s3cret",
        "pkcs11:token=web?pin-value=a&s3cret=b", "pkcs11:token=web?pin-value=a s3cret",
        "pkcs11:token=web?pin-value=%s3cret", "pkcs11:token=web;pin-value=a;s3cret=b",
        "pkcs11:object=a&pin-value=s3cret", "pkcs11:token=web?pin-value=#s3cret"}) {
    try {
      (void)parse_uri(text);
      ADD_FAILURE() << "accepted: " << text;
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), Not(HasSubstr("s3cret"))) << text;
    }
  }
}

std::string refusal_of(std::string_view text) {
  try {
    (void)parse_uri(text);
  } catch (const UriError& error) {
    return error.what();
  }
  ADD_FAILURE() << "accepted: " << text;
  return {};
}

// RFC 7512, section 2.3: what p11-kit forgives would name another key.
TEST(Uri, ThatIsNotExactlyRfc7512IsRefusedByItsPlace) {
  const std::pair<std::string, const char*> cases[] = {
      {"pkcs11:token=web;object=my key", "character 27, in \"object\": a blank is written %20"},
      {" pkcs11:object=a", "begin"},
      {"pkcs11: object=a", "character 8"},
      {"pkcs11:object =a", "character 14"},
      {"pkcs11:object= a", "character 15, in \"object\""},
      {"pkcs11:object=a ", "character 16, in \"object\""},
      {"pkcs11:object=a\n", "character 16, in \"object\": this character is written %0A"},
      {"pkcs11:object=a\tb", "%09"},
      {"pkcs11:object=sch\xc3\xbcssel", "%C3"},
      {"pkcs11:object=a/b", "%2F"},
      {"pkcs11:object=a#b", "%23"},
      {"pkcs11:object=a|b", "%7C"},
      {"pkcs11:object=\"a\"", "%22"},
      {"pkcs11:token=web?module-path=/a&b;c", "character 34"},
      {"pkcs11:token=web?module-path=/a;c", "%3B"},
      {"pkcs11:object=a%", "character 16, in \"object\": a % without"},
      {"pkcs11:object=a%4", "a % without"},
      {"pkcs11:object=a%4g", "a % without"},
      {"pkcs11:object=%%41", "a % without"},
      {"pkcs11:object=%00", "zero byte"},
      {"pkcs11:token=a%00b", "zero byte"},
      {"pkcs11:object=caf%E9", "not UTF-8; name such an object by its id"},
      {"pkcs11:object=%C0%80", "not UTF-8"},
      {"pkcs11:object=%ED%A0%80", "not UTF-8"},
      {"pkcs11:object=%F4%90%80%80", "not UTF-8"},
      {"pkcs11:object=%E2%82", "not UTF-8"},
      {"pkcs11:token=%FF", "not UTF-8"},
      {"pkcs11:object=a;object=b", "character 17, in \"object\": it stands twice"},
      {"pkcs11:object=a;object=a", "twice"},
      {"pkcs11:id=%01;object=a;id=%02", "in \"id\": it stands twice"},
      {"pkcs11:token=a;token=b", "twice"},
      {"pkcs11:type=cert;type=private", "twice"},
      {"pkcs11:object=a?module-path=/a&module-path=/b", "in \"module-path\": it stands twice"},
      {"pkcs11:object=a?keystay-spki=AA&keystay-spki=BB", "twice"},
      {"pkcs11:object=a;", "character 17: an attribute is expected"},
      {"pkcs11:;object=a", "character 8: an attribute is expected"},
      {"pkcs11:object=a;;id=%01", "an attribute is expected"},
      {"pkcs11:object=a?&module-path=/a", "an attribute is expected"},
      {"pkcs11:object=a?module-path=/a&", "an attribute is expected"},
      {"pkcs11:=a", "without a name"},
      {"pkcs11:object=a?=b", "without a name"},
      {"pkcs11:object", "no \"=\""},
      {"pkcs11:object=a?module-path", "no \"=\""},
      {"pkcs11:object=", "empty"},
      {"pkcs11:token=;object=a", "empty"},
      {"pkcs11:object=a;id=", "empty"},
      {"pkcs11:object=a?module-path=", "empty"},
      {"pkcs11:token=%20%20;object=a", "blank"},
      {"pkcs11:token=" + std::string(33, 'x'), "more than 32 bytes"},
      {"pkcs11:serial=" + std::string(17, '1'), "more than 16 bytes"},
      {"pkcs11:Object=a", "\"Object\" is an attribute that Keystay does not know"},
      {"pkcs11:object=a;flavour=sweet", "character 17: \"flavour\""},
      {"pkcs11:obj*ct=a", "the name of an attribute"},
      {"pkcs11:object=a;type=Private", "expected public, private"},
      {"pkcs11:object=a;type=", "empty"},
      {"pkcs11:object=a;pin-value=1", "it stands behind the \"?\""},
      {"pkcs11:object=a;module-path=%2Fa", "it stands behind the \"?\""},
      {"pkcs11:token=web?object=a", "it stands before the \"?\""},
      {"pkcs11:token=web?type=private", "it stands before the \"?\""},
      {"pkcs11:object=a&pin-value=1", "the query begins with \"?\""},
  };
  for (const auto& [text, place] : cases) EXPECT_THAT(refusal_of(text), HasSubstr(place)) << text;
}

TEST(Uri, MayHaveEveryCharacterOfItsGrammar) {
  EXPECT_EQ(parse_uri("pkcs11:object=aZ09-._~:[]@!$'()*+,=&").object, "aZ09-._~:[]@!$'()*+,=&");
  EXPECT_EQ(parse_uri("pkcs11:?module-path=/a?b|c:[]@!$'()*+,=").module_path, "/a?b|c:[]@!$'()*+,=");
  EXPECT_EQ(parse_uri("pkcs11:object=my%20key%3B%3d%2f").object, "my key;=/");
  EXPECT_EQ(parse_uri("pkcs11:object=a?").object, "a") << "the query may be empty";
  EXPECT_EQ(parse_uri("pkcs11:id=%00%FF").id, (Bytes{0x00, 0xff})) << "an id is no text";
  EXPECT_EQ(parse_uri("pkcs11:id=ab").id, (Bytes{'a', 'b'}));
  EXPECT_EQ(parse_uri("PKCS11:object=a").object, "a") << "RFC 3986, section 3.1";
  EXPECT_EQ(parse_uri("pkcs11:object=%F0%9F%94%91").object, "\U0001F511");
}

TEST(Uri, OfATokenNamesNoObject) {
  EXPECT_EQ(parse_token_uri("pkcs11:token=web?module-path=/a").token, "web");
  for (const char* text :
       {"pkcs11:token=web;object=a", "pkcs11:token=web;id=%01", "pkcs11:token=web;type=private"})
    EXPECT_THROW((void)parse_token_uri(text), UriError) << text;
}

TEST(Uri, LeavesALabelOutThatNoUriCanState) {
  Uri uri;
  uri.object = "caf\xe9";
  EXPECT_THROW((void)format_uri(uri), Error);
  uri.id = {0x01};
  EXPECT_EQ(format_uri(uri), "pkcs11:id=%01");
}

TEST(Uri, OfATokenAttributeThatIsTooLongIsNotWritten) {
  Uri uri;
  uri.token = std::string(33, 'x');  // CK_TOKEN_INFO.label has 32 bytes
  EXPECT_THROW((void)format_uri(uri), Error);
}

}  // namespace
}  // namespace keystay::pkcs11
