#include "native/x509/extension.h"

#include <array>

#include <gmock/gmock.h>

#include "native/x509/error.h"
#include "native/x509/extension_list.h"
#include "native/x509/public_key.h"
#include "tests/x509/fixture.h"

namespace keystay::x509 {
namespace {

using testing::HasSubstr;

class ExtensionTest : public CleanQueueTest {};

// "critical " if it is, and what libcrypto prints.
std::string text_of(std::string_view keytool) {
  const X509Extension extension = parse_extension(keytool);
  const InputOutput memory(BIO_new(BIO_s_mem()));
  EXPECT_EQ(X509V3_EXT_print(memory.get(), extension.get(), 0, 0), 1);
  char* data = nullptr;
  const long size = BIO_get_mem_data(memory.get(), &data);
  return std::string(X509_EXTENSION_get_critical(extension.get()) != 0 ? "critical " : "") +
         std::string(data, static_cast<std::size_t>(size));
}

std::string extension_error_of(std::string_view keytool) {
  try {
    static_cast<void>(parse_extension(keytool));
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST_F(ExtensionTest, IsASubjectAlternativeName) {
  EXPECT_EQ(text_of("san=dns:example.org,dns:*.example.org,ip:127.0.0.1,ip:::1"),
            "DNS:example.org, DNS:*.example.org, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1");
  EXPECT_EQ(text_of("SAN:critical=email:a@example.org,URI:https://example.org/"),
            "critical email:a@example.org, URI:https://example.org/");
  EXPECT_EQ(text_of("SubjectAlternativeName=oid:1.2.3"), "Registered ID:1.2.3");
}

TEST_F(ExtensionTest, IsABasicConstraint) {
  EXPECT_EQ(text_of("bc"), "CA:TRUE");
  EXPECT_EQ(text_of("bc:critical=ca:true,pathlen:3"), "critical CA:TRUE, pathlen:3");
  EXPECT_EQ(text_of("bc=2"), "CA:TRUE, pathlen:2");
  EXPECT_EQ(text_of("BasicConstraints=ca:false"), "CA:FALSE");
}

TEST_F(ExtensionTest, IsAKeyUsageInWordsOrTheirHumps) {
  EXPECT_EQ(text_of("ku:critical=digitalSignature,keyEncipherment"),
            "critical Digital Signature, Key Encipherment");
  EXPECT_EQ(text_of("ku=ds,kcs,cRLs"), "Digital Signature, Certificate Sign, CRL Sign");
  EXPECT_EQ(text_of("ku=dig"), "Digital Signature");
  EXPECT_EQ(text_of("KeyUsage=contentCommitment"), "Non Repudiation");
}

TEST_F(ExtensionTest, IsAnExtendedKeyUsage) {
  EXPECT_EQ(text_of("eku=serverAuth,clientAuth"),
            "TLS Web Server Authentication, TLS Web Client Authentication");
  EXPECT_EQ(text_of("eku=sA,1.2.3.4"), "TLS Web Server Authentication, 1.2.3.4");
}

TEST_F(ExtensionTest, IsRefusedWithWhatToWrite) {
  EXPECT_EQ(
      extension_error_of("foo=bar"),
      "extension \"foo=bar\": unknown; there are san=dns:example.org,ip:127.0.0.1; bc=ca:true,pathlen:0; "
      "ku=digitalSignature,keyEncipherment; eku=serverAuth,clientAuth; ian=uri:https://ca.example.org/; "
      "aia=ocsp:uri:http://ocsp.example.org/,caIssuers:uri:http://ca.example.org/ca.crt; "
      "sia=caRepository:uri:http://ca.example.org/certs/; crl=uri:http://ca.example.org/ca.crl; and OID=HEX, "
      "like "
      "1.3.6.1.5.5.7.1.24=3003020105");
  EXPECT_EQ(extension_error_of("san"),
            "extension \"san\": has no value; write san=dns:example.org,ip:127.0.0.1");
  EXPECT_EQ(extension_error_of("san="),
            "extension \"san=\": has no value; write san=dns:example.org,ip:127.0.0.1");
  EXPECT_EQ(extension_error_of("san=example.org"),
            "extension \"san=example.org\": expected dns:NAME, ip:ADDRESS, uri:… in a list");
  EXPECT_EQ(extension_error_of("san=dns:"),
            "extension \"san=dns:\": expected dns:NAME, ip:ADDRESS, uri:… in a list");
  EXPECT_EQ(extension_error_of("san=host:a"),
            "extension \"san=host:a\": \"host\" is not one of dns, ip, uri, email, oid");
  EXPECT_EQ(extension_error_of("san:vital=dns:a"),
            "extension \"san:vital=dns:a\": only \":critical\" may follow the name");
  EXPECT_THAT(extension_error_of("ku=key"), HasSubstr("\"key\" is not one of digitalSignature, "))
      << "it is ambiguous";
  EXPECT_THAT(extension_error_of("ku=ds,,kcs"), HasSubstr("\"\" is not one of digitalSignature, "));
  EXPECT_EQ(extension_error_of("san=ip:300.0.0.1"),
            "extension \"san=ip:300.0.0.1\": \"300.0.0.1\" is no IP address");
  for (const std::string oid : {"1.99.2", "3.1", "1", "1.2.", "1..2", "serverAuth", "0.40", "1.2.x"}) {
    EXPECT_EQ(extension_error_of("san=oid:" + oid), "extension \"san=oid:" + oid + "\": \"" + oid +
                                                        "\" is no object identifier, like 1.3.6.1.4.1.99999");
  }
  EXPECT_EQ(extension_error_of("eku=1.99.2"),
            "extension \"eku=1.99.2\": \"1.99.2\" is no object identifier, like 1.3.6.1.5.5.7.3.1");
  for (const std::string mail : {"copy", "move", "a", "@example.org", "a@", "a@b c"})
    EXPECT_THAT(extension_error_of("san=email:" + mail), HasSubstr("is no e-mail address"));
  for (const std::string uri : {"example.org", ":x", "https:", "1a:b", "/path"})
    EXPECT_THAT(extension_error_of("san=uri:" + uri), HasSubstr("is no URI with a scheme"));
  EXPECT_THAT(extension_error_of("bc=ca:perhaps"),
              testing::StartsWith("extension \"bc=ca:perhaps\": write bc=ca:true,pathlen:0"));
}

TEST_F(ExtensionTest, IsAnyOtherByItsOidInHexadecimal) {
  const X509Extension extension = parse_extension("1.2.3.4:critical=05:00");
  EXPECT_EQ(X509_EXTENSION_get_critical(extension.get()), 1);
  const ASN1_OCTET_STRING* value = X509_EXTENSION_get_data(extension.get());
  const unsigned char* bytes = ASN1_STRING_get0_data(value);
  EXPECT_THAT(std::vector<int>(bytes, bytes + ASN1_STRING_length(value)), testing::ElementsAre(5, 0));
  EXPECT_EQ(ASN1_STRING_length(X509_EXTENSION_get_data(parse_extension("1.2.3.4").get())), 0);
  EXPECT_EQ(extension_error_of("1.2.3.4=050"),
            "extension \"1.2.3.4=050\": has an odd number of hexadecimal digits");
  EXPECT_EQ(extension_error_of("1.2.3.4=xy"),
            "extension \"1.2.3.4=xy\": the value of an OID is written in hexadecimal");
}

TEST_F(ExtensionTest, HasNamesAndCriticalityAbbreviatedAsInKeytool) {
  EXPECT_EQ(text_of("san:c=dns:a"), "critical DNS:a");
  EXPECT_EQ(text_of("san:crit=dns:a"), "critical DNS:a");
  EXPECT_EQ(text_of("san:non-critical=dns:a"), "DNS:a");
  EXPECT_EQ(text_of("SubjectAlt=dns:a"), "DNS:a");
  EXPECT_THAT(text_of("crldp=uri:http://a/"), testing::StartsWith("Full Name:\n  URI:http://a/"));
  EXPECT_THAT(text_of("aia=ocsp:uri:http://a/"), testing::StartsWith("OCSP - URI:http://a/"));
  EXPECT_THAT(text_of("sia=tS:uri:http://a/"), testing::StartsWith("AD Time Stamping - URI:http://a/"));
  EXPECT_EQ(text_of("ian=email:a@example.org"), "email:a@example.org");
}

// libcrypto's own syntax has ways to read files and sections, which a value must not open.
TEST_F(ExtensionTest, CannotSmuggleLibcryptosOwnSyntax) {
  EXPECT_NE(extension_error_of("san=dns:a,dirName:section"), "no error");
  EXPECT_NE(extension_error_of("san=otherName:1.2.3;UTF8:x"), "no error");
  EXPECT_NE(extension_error_of("ku=@section"), "no error");
  EXPECT_NE(extension_error_of("bc=DER:3000"), "no error");
}

TEST_F(ExtensionTest, FollowsTheKeyIdentifierOfTheCertificate) {
  const pkcs11::PublicKey key = from_evp_pkey(software_key("EC:P-256").get());
  const std::array<std::string, 2> texts{"san=dns:a", "bc"};
  const X509Extensions extensions = parse_extensions(texts, key);
  ASSERT_EQ(sk_X509_EXTENSION_num(extensions.get()), 3);
  EXPECT_GE(X509v3_get_ext_by_NID(extensions.get(), NID_subject_key_identifier, -1), 0);
}

TEST_F(ExtensionTest, IsRefusedTwice) {
  const pkcs11::PublicKey key = from_evp_pkey(software_key("EC:P-256").get());
  const std::array<std::string, 2> texts{"san=dns:a", "SAN=dns:b"};
  EXPECT_THAT([&] { static_cast<void>(parse_extensions(texts, key)); },
              testing::ThrowsMessage<Error>(
                  "extension \"SAN=dns:b\": this type stands twice; write all values in one "
                  "-ext"));
}

}  // namespace
}  // namespace keystay::x509
