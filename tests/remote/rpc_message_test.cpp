// p11-kit's messages byte by byte, and what is made of answers that are none.
#include "native/remote/rpc_message.h"

#include <array>
#include <cstring>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "native/pkcs11/error.h"

namespace keystay::remote {
namespace {

using pkcs11::Error;
using testing::HasSubstr;

std::string hex(ByteView bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const std::uint8_t byte : bytes) {
    text += kDigits[byte >> 4U];
    text += kDigits[byte & 15U];
  }
  return text;
}

Bytes from_hex(std::string_view text) {
  Bytes bytes;
  for (std::size_t i = 0; i < text.size(); i += 2)
    bytes.push_back(static_cast<std::uint8_t>(std::stoi(std::string(text.substr(i, 2)), nullptr, 16)));
  return bytes;
}

// "uMu", the types of C_SignInit's arguments, behind their length.
const std::string kSignInit =
    "0000002a"
    "00000003"
    "754d75";

std::string sign_init(CK_MECHANISM mechanism, Version version) {
  Request request(Call::sign_init);
  request.number(7).mechanism(mechanism, version).number(9);
  return hex(request.frame(0x11)).substr(2 * kHeaderSize);
}

TEST(RpcRequest, HasItsSizeInItsHeader) {
  Request request(Call::finalize);
  EXPECT_EQ(hex(request.frame(0x11)),
            "00000011"
            "00000000"
            "00000008"
            "00000002"
            "00000000");
}

TEST(RpcRequest, WritesMechanismsAsEachVersionReadsThem) {
  const CK_MECHANISM ecdsa{CKM_ECDSA, nullptr, 0};
  const std::string session = "0000000000000007";
  const std::string key = "0000000000000009";
  for (const Version old : {Version::v0, Version::v1})
    EXPECT_EQ(sign_init(ecdsa, old), kSignInit + session +
                                         "00001041"
                                         "ffffffff" +
                                         key);
  EXPECT_EQ(sign_init(ecdsa, Version::v2), kSignInit + session + "00001041" + key);

  // Not in p11-kit's list of those without parameters.
  const CK_MECHANISM eddsa{CKM_EDDSA, nullptr, 0};
  EXPECT_EQ(sign_init(eddsa, Version::v1), kSignInit + session +
                                               "00001057"
                                               "ffffffff" +
                                               key);
  EXPECT_EQ(sign_init(eddsa, Version::v2), kSignInit + session +
                                               "00001057"
                                               "00" +
                                               key);

  CK_RSA_PKCS_PSS_PARAMS pss{CKM_SHA256, CKG_MGF1_SHA256, 32};
  const CK_MECHANISM mechanism{CKM_RSA_PKCS_PSS, &pss, sizeof pss};
  const std::string parameters =
      "0000000000000250"
      "0000000000000002"
      "0000000000000020";
  EXPECT_EQ(sign_init(mechanism, Version::v0), kSignInit + session + "0000000d" + parameters + key);
  EXPECT_EQ(sign_init(mechanism, Version::v2), kSignInit + session +
                                                   "0000000d"
                                                   "01" +
                                                   parameters + key);
}

TEST(RpcRequest, SaysWhatAVersionCannotCarry) {
  std::array<CK_BYTE, 4> point{4, 1, 2, 3};
  CK_ECDH1_DERIVE_PARAMS ecdh{};
  ecdh.kdf = CKD_NULL;
  ecdh.pPublicData = point.data();
  ecdh.ulPublicDataLen = point.size();
  const CK_MECHANISM mechanism{CKM_ECDH1_DERIVE, &ecdh, sizeof ecdh};
  Request carried(Call::derive_key);
  carried.number(1).mechanism(mechanism, Version::v1);
  EXPECT_THAT(hex(carried.frame(1)), HasSubstr("00001050"
                                               "0000000000000001"
                                               "ffffffff"
                                               "00000004"
                                               "04010203"));
  Request refused(Call::derive_key);
  try {
    refused.number(1).mechanism(mechanism, Version::v0);
    FAIL() << "carried";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("needs p11-kit 0.25 or later there"));
  }
}

TEST(RpcRequest, WritesAttributesByTheirKind) {
  CK_BBOOL yes = 1;
  CK_ULONG type = CKK_EC;
  std::array<CK_BYTE, 2> id{0xAB, 0xCD};
  const std::array<CK_ATTRIBUTE, 3> search{
      {{CKA_TOKEN, &yes, sizeof yes}, {CKA_KEY_TYPE, &type, sizeof type}, {CKA_ID, id.data(), id.size()}}};
  Request request(Call::find_objects_init);
  request.number(1).attributes(search);
  EXPECT_THAT(hex(request.frame(1)), HasSubstr("00000003"
                                               "00000001"
                                               "01"
                                               "00000001"
                                               "01"
                                               "00000100"
                                               "01"
                                               "00000008"
                                               "0000000000000003"
                                               "00000102"
                                               "01"
                                               "00000002"
                                               "00000002"
                                               "abcd"));
}

// "aAu", the types of C_GetAttributeValue's results.
const std::string kAttributes =
    "00000018"
    "00000003"
    "614175";

TEST(RpcResponse, ReadsAttributes) {
  Response response(Call::get_attribute_value, from_hex(kAttributes + "00000003"
                                                                      "00000100"
                                                                      "01"
                                                                      "00000008"
                                                                      "0000000000000003"
                                                                      "00000102"
                                                                      "01"
                                                                      "00000002"
                                                                      "00000002"
                                                                      "abcd"
                                                                      "00000011"
                                                                      "00"
                                                                      "0000000000000011"));
  CK_ULONG type = 0;
  std::array<CK_BYTE, 8> id{};
  std::array<CK_BYTE, 8> value{};
  std::array<CK_ATTRIBUTE, 3> places{{{CKA_KEY_TYPE, &type, sizeof type},
                                      {CKA_ID, id.data(), id.size()},
                                      {CKA_VALUE, value.data(), value.size()}}};
  EXPECT_EQ(response.rv(), CKR_OK);
  EXPECT_EQ(response.attributes(places), CKR_ATTRIBUTE_SENSITIVE);
  EXPECT_EQ(type, CKK_EC);
  EXPECT_EQ(places[1].ulValueLen, 2U);
  EXPECT_EQ(id[0], 0xAB);
  EXPECT_EQ(places[2].ulValueLen, CK_UNAVAILABLE_INFORMATION);
}

TEST(RpcResponse, WritesNothingPastAPlace) {
  Response response(Call::get_attribute_value, from_hex(kAttributes + "00000001"
                                                                      "00000102"
                                                                      "01"
                                                                      "00000004"
                                                                      "00000004"
                                                                      "01020304"
                                                                      "0000000000000000"));
  std::array<CK_BYTE, 3> id{9, 9, 9};
  CK_ATTRIBUTE place{CKA_ID, id.data(), 2};
  EXPECT_EQ(response.attributes({&place, 1}), CKR_BUFFER_TOO_SMALL);
  EXPECT_EQ(place.ulValueLen, 4U);
  EXPECT_EQ(id[0], 9);
}

TEST(RpcResponse, TellsAnErrorOfTheToken) {
  const Response response(Call::sign, from_hex("00000000"
                                               "00000001"
                                               "75"
                                               "0000000000000101"));
  EXPECT_EQ(response.rv(), CKR_USER_NOT_LOGGED_IN);
}

struct BadCase {
  const char* name;
  std::string body;
};
class BadResponse : public testing::TestWithParam<BadCase> {};

TEST_P(BadResponse, IsAnErrorOfTheServer) {
  CK_BYTE place[16]{};
  try {
    Response response(Call::get_attribute_value, from_hex(GetParam().body));
    CK_ATTRIBUTE attribute{CKA_ID, place, sizeof place};
    static_cast<void>(response.attributes({&attribute, 1}));
    FAIL() << "it was read";
  } catch (const Error& error) {
    EXPECT_EQ(error.error_class(), pkcs11::ErrorClass::server);
  }
}

const BadCase kBad[] = {
    {"empty", ""},
    {"of_another_function",
     "0000002b"
     "00000002"
     "6179"},
    {"of_other_types",
     "00000018"
     "00000002"
     "6179"},
    {"an_error_that_is_none",
     "00000000"
     "00000001"
     "75"
     "0000000000000000"},
    {"cut_off", kAttributes + "00000001"
                              "00000102"
                              "01"},
    {"longer_than_it_is", kAttributes + "00000001"
                                        "00000102"
                                        "01"
                                        "00000004"
                                        "7fffffff"
                                        "0102"},
    {"another_attribute", kAttributes + "00000001"
                                        "00000003"
                                        "01"
                                        "00000001"
                                        "00000001"
                                        "61"
                                        "0000000000000000"},
    {"too_many_attributes", kAttributes + "00000002"
                                          "00000102"
                                          "00"
                                          "00000102"
                                          "00"
                                          "0000000000000000"},
    {"no_return_value", kAttributes + "00000001"
                                      "00000102"
                                      "00"},
};
INSTANTIATE_TEST_SUITE_P(Rpc, BadResponse, testing::ValuesIn(kBad),
                         [](const auto& test) { return std::string(test.param.name); });

// CVE-2026-13757 was this in p11-kit.
TEST(RpcResponse, FollowsNoTemplateWithinATemplate) {
  std::string nested;
  for (int i = 0; i < 10000; ++i)
    nested +=
        "40000211"
        "01"
        "00000018"
        "00000001";
  Response response(Call::get_attribute_value, from_hex(kAttributes + "00000001" + nested));
  CK_ATTRIBUTE place{CKA_WRAP_TEMPLATE, nullptr, 0};
  EXPECT_THROW(static_cast<void>(response.attributes({&place, 1})), Error);
}

}  // namespace
}  // namespace keystay::remote
