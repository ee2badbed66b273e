#include "native/x509/distinguished_name.h"

#include <gmock/gmock.h>

#include "native/x509/der.h"
#include "native/x509/error.h"
#include "tests/x509/fixture.h"

namespace keystay::x509 {
namespace {

class DistinguishedName : public CleanQueueTest {};

pkcs11::Bytes der_of(std::string_view text) {
  const X509Name name = parse_name(text);
  return to_der([&](unsigned char** out) { return i2d_X509_NAME(name.get(), out); }, "i2d_X509_NAME");
}

std::string round_trip(std::string_view text) { return format_name(der_of(text)); }

// The attributes in the order of the DER, by libcrypto's own printer.
std::string der_order(std::string_view text) {
  const X509Name name = parse_name(text);
  const InputOutput memory(BIO_new(BIO_s_mem()));
  X509_NAME_print_ex(memory.get(), name.get(), 0, XN_FLAG_SEP_COMMA_PLUS | XN_FLAG_FN_SN);
  char* data = nullptr;
  const long size = BIO_get_mem_data(memory.get(), &data);
  return std::string(data, static_cast<std::size_t>(size));
}

std::string error_of(std::string_view text) {
  try {
    static_cast<void>(parse_name(text));
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST_F(DistinguishedName, IsWrittenToDerFromItsEnd) {
  EXPECT_EQ(der_order("CN=example.org, OU=Web, O=Example, C=DE"), "C=DE,O=Example,OU=Web,CN=example.org");
}

TEST_F(DistinguishedName, ComesBackAsItWasWritten) {
  for (const char* text : {"CN=example.org, OU=Web, O=Example, C=DE",
                           "CN=a\\, b, O=\\\"quoted\\\" \\+ \\\\ \\; \\<\\>", "CN=\\ spaces \\ , O=\\#sharp",
                           "CN=Jürgen Müller, C=DE", "DC=example, DC=org", "UID=b + CN=a, O=c"}) {
    EXPECT_EQ(round_trip(text), text);
  }
}

TEST_F(DistinguishedName, KnowsTheKeywordsOfKeytool) {
  EXPECT_EQ(der_order("CN=a, OU=b, O=c, L=d, S=e, C=DE"), "C=DE,ST=e,L=d,O=c,OU=b,CN=a");
  EXPECT_EQ(der_order("cn=a,ou=b"), "OU=b,CN=a");
  EXPECT_EQ(der_order("EMAILADDRESS=a@example.org"), "emailAddress=a@example.org");
  EXPECT_EQ(der_order("SERIALNUMBER=7, T=t, GIVENNAME=g, SURNAME=s"), "SN=s,GN=g,title=t,serialNumber=7");
  EXPECT_EQ(der_order("2.5.4.3=a"), "CN=a");
}

TEST_F(DistinguishedName, UnderstandsEveryEscapeOfRfc4514) {
  EXPECT_EQ(round_trip("CN=a\\2Cb"), "CN=a\\,b");
  EXPECT_EQ(round_trip("CN=J\\C3\\BCrgen"), "CN=Jürgen");
  EXPECT_EQ(round_trip("CN=\"a, b + c\", O=d"), "CN=a\\, b \\+ c, O=d");
  EXPECT_EQ(round_trip("  CN = a b  ,O= c "), "CN=a b, O=c");
  EXPECT_EQ(round_trip("CN=a;O=b"), "CN=a, O=b");
  EXPECT_EQ(round_trip("CN=a=b"), "CN=a=b");
}

TEST_F(DistinguishedName, IsRefusedWithThePlaceOfTheError) {
  EXPECT_EQ(error_of(""),
            "distinguished name \"\", character 1: expected NAME=value, CN=example.org for instance");
  EXPECT_EQ(
      error_of("example.org"),
      "distinguished name \"example.org\", character 1: expected NAME=value, CN=example.org for instance");
  EXPECT_EQ(error_of("CN=a,"),
            "distinguished name \"CN=a,\", character 6: expected NAME=value, CN=example.org for "
            "instance");
  EXPECT_EQ(error_of("CN=a, CM=b"),
            "distinguished name \"CN=a, CM=b\", character 7: unknown attribute \"CM\"; known are "
            "CN, OU, O, L, ST, C, DC, UID … and dotted OIDs");
  EXPECT_EQ(error_of("CN="), "distinguished name \"CN=\", character 4: a value must not be empty");
  EXPECT_EQ(error_of("CN=,O=b"), "distinguished name \"CN=,O=b\", character 4: a value must not be empty");
  EXPECT_EQ(error_of("CN=\"a"),
            "distinguished name \"CN=\"a\", character 6: the closing quotation mark is missing");
  EXPECT_EQ(error_of("CN=\"a\"b"), "distinguished name \"CN=\"a\"b\", character 7: expected \",\" or \"+\"");
  EXPECT_EQ(
      error_of("CN=a\"b"),
      "distinguished name \"CN=a\"b\", character 5: a quotation mark inside a value must be escaped: \\\"");
  EXPECT_EQ(error_of("CN=a\\"), "distinguished name \"CN=a\\\", character 6: nothing follows the backslash");
  EXPECT_EQ(error_of("CN=#0401"),
            "distinguished name \"CN=#0401\", character 4: values in hexadecimal are not supported; write "
            "them as text");
}

TEST_F(DistinguishedName, IsRefusedIfAValueBreaksTheRulesOfItsAttribute) {
  EXPECT_THAT(error_of("CN=a, C=DEU"), testing::StartsWith("distinguished name: \"DEU\" is no value of C: "));
  EXPECT_THAT(error_of("CN=" + std::string(65, 'a')), testing::HasSubstr("is no value of CN: "));
  EXPECT_THAT(error_of("CN=\\FF\\FE"), testing::HasSubstr("is no value of CN: "));
}

TEST_F(DistinguishedName, IsRefusedAsDamagedDer) {
  EXPECT_THROW((void)format_name({}), Error);
  EXPECT_THROW((void)format_name(pkcs11::Bytes{0x30, 0x05, 0x31}), Error);
}

}  // namespace
}  // namespace keystay::x509
