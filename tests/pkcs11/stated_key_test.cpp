// The forms in which tokens state a public key: one table, walked over every curve.
#include "native/pkcs11/stated_key.h"

#include <cstring>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "native/pkcs11/curve.h"

namespace keystay::pkcs11 {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

Bytes bytes(std::string_view text) { return {text.begin(), text.end()}; }

Bytes joined(Bytes a, const Bytes& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

Bytes element(std::uint8_t tag, const Bytes& content) {
  Bytes header = {tag};
  if (content.size() >= 0x80) header.push_back(0x81);
  header.push_back(static_cast<std::uint8_t>(content.size()));
  return joined(std::move(header), content);
}

Bytes octet_string(const Bytes& content) { return element(0x04, content); }
Bytes bit_string(const Bytes& content) { return element(0x03, joined({0}, content)); }

// What a token answers for CKA_EC_POINT and the like.
Attributes attributes(CK_KEY_TYPE type, const std::vector<std::pair<CK_ATTRIBUTE_TYPE, Bytes>>& values) {
  Attributes result;
  Bytes number(sizeof type);
  std::memcpy(number.data(), &type, sizeof type);
  result.put(CKA_KEY_TYPE, number);
  for (const auto& [attribute, value] : values) result.put(attribute, value);
  return result;
}

StatedKey stated(const Curve& curve, const Bytes& point) {
  return stated_key(
      attributes(curve.key_type, {{CKA_EC_PARAMS, bytes(curve.parameters)}, {CKA_EC_POINT, point}}));
}

Bytes point_of(const PublicKey& key) {
  if (const auto* ec = std::get_if<EcPublicKey>(&key)) return ec->point;
  if (const auto* edwards = std::get_if<EdwardsPublicKey>(&key)) return edwards->point;
  return std::get<MontgomeryPublicKey>(key).point;
}

// A point by its length and first byte; whether it is on the curve is not asked here.
Bytes point(const Curve& curve, std::uint8_t first) {
  Bytes result(curve.point_size, 0x31);
  if (curve.key_type == CKK_EC) result[0] = first;
  return result;
}

TEST(StatedKey, IsReadFromEveryFormOfAPoint) {
  for (const Curve& curve : curves()) {
    const Bytes plain = point(curve, 4);
    for (const Bytes& form : {plain, octet_string(plain), bit_string(plain)}) {
      const StatedKey key = stated(curve, form);
      ASSERT_TRUE(key.key) << curve.name << ": " << key.fault;
      EXPECT_EQ(point_of(*key.key), plain) << curve.name;
    }
  }
}

TEST(StatedKey, KeepsACompressedPointAndTakesAHybridOneForWhatItIs) {
  for (const Curve& curve : curves()) {
    if (curve.key_type != CKK_EC) continue;
    for (const int sign : {0, 1}) {
      Bytes compressed = point(curve, static_cast<std::uint8_t>(2 + sign));
      compressed.resize((curve.point_size + 1) / 2);
      for (const Bytes& form : {compressed, octet_string(compressed), bit_string(compressed)}) {
        const StatedKey key = stated(curve, form);
        ASSERT_TRUE(key.key) << curve.name << ": " << key.fault;
        EXPECT_EQ(point_of(*key.key), compressed) << curve.name;
      }
    }
    const StatedKey hybrid = stated(curve, octet_string(point(curve, 7)));  // y ends in 0x31
    ASSERT_TRUE(hybrid.key) << curve.name << ": " << hybrid.fault;
    EXPECT_EQ(point_of(*hybrid.key), point(curve, 4)) << curve.name;
    EXPECT_THAT(stated(curve, octet_string(point(curve, 6))).fault, HasSubstr("hybrid")) << curve.name;
  }
}

TEST(StatedKey, RefusesWhatHasAnotherLengthOrForm) {
  for (const Curve& curve : curves()) {
    const Bytes good = point(curve, 4);
    const Bytes shorter(good.begin(), good.end() - 1);
    const std::vector<Bytes> wrong = {shorter,
                                      joined(good, {0}),
                                      octet_string(shorter),
                                      octet_string(joined(good, {0})),
                                      joined(octet_string(good), {0}),
                                      octet_string(octet_string(good)),
                                      element(0x30, good),
                                      element(0x03, joined({1}, good)),
                                      {0},
                                      octet_string({0}),
                                      octet_string({}),
                                      {0x04},
                                      {0x03, 0x41}};
    for (const Bytes& value : wrong) {
      const StatedKey key = stated(curve, value);
      EXPECT_FALSE(key.key) << curve.name;
      EXPECT_THAT(key.fault, HasSubstr("CKA_EC_POINT")) << curve.name;
    }
    if (curve.key_type != CKK_EC) continue;
    for (const int first : {0, 1, 5, 8, 0x30, 0xff}) {
      EXPECT_FALSE(stated(curve, octet_string(point(curve, static_cast<std::uint8_t>(first)))).key)
          << curve.name << ' ' << first;
    }
  }
}

TEST(StatedKey, OnACurveThatIsNotNamedSaysSo) {
  const Bytes value = point(*find_curve("P-256"), 4);
  const auto fault = [&](const Bytes& parameters) {
    return stated_key(attributes(CKK_EC, {{CKA_EC_PARAMS, parameters}, {CKA_EC_POINT, value}})).fault;
  };
  EXPECT_THAT(fault(element(0x30, {0x02, 0x01, 0x01})), HasSubstr("explicit parameters"));
  EXPECT_THAT(fault({0x05, 0x00}), HasSubstr("implicitlyCA"));
  EXPECT_THAT(fault({0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x21}), HasSubstr("does not know"));  // secp224r1
  EXPECT_THAT(fault(element(0x13, bytes("no such curve"))), HasSubstr("does not know"));
  EXPECT_THAT(fault({0x06, 0x08, 0x2a}), HasSubstr("no DER ECParameters"));
  EXPECT_THAT(fault(joined(bytes(find_curve("P-256")->parameters), {0})), HasSubstr("no DER ECParameters"));
  EXPECT_THAT(fault({}), HasSubstr("no CKA_EC_PARAMS"));
  // Before the point, which a private key need not have.
  EXPECT_THAT(stated_key(attributes(CKK_EC, {{CKA_EC_PARAMS, element(0x30, {})}})).fault,
              HasSubstr("explicit parameters"));
}

TEST(StatedKey, OnACurveByNameIsTheKeyByOid) {
  for (const auto& [name, curve] : {std::pair("edwards25519", "Ed25519"), std::pair("Ed25519", "Ed25519"),
                                    std::pair("curve25519", "X25519"), std::pair("edwards448", "Ed448"),
                                    std::pair("secp256r1", "P-256"), std::pair("prime256v1", "P-256")}) {
    const Curve& known = *find_curve(curve);
    for (const std::uint8_t tag : {std::uint8_t{0x13}, std::uint8_t{0x0c}}) {
      const StatedKey key = stated_key(attributes(
          known.key_type, {{CKA_EC_PARAMS, element(tag, bytes(name))}, {CKA_EC_POINT, point(known, 4)}}));
      EXPECT_EQ(key.key, stated(known, point(known, 4)).key) << name << key.fault;
    }
  }
}

TEST(StatedKey, OfAnotherTypeThanItsCurveSaysSo) {
  const Curve& curve = *find_curve("P-256");
  EXPECT_THAT(stated_key(attributes(CKK_EC_EDWARDS, {{CKA_EC_PARAMS, bytes(curve.parameters)},
                                                     {CKA_EC_POINT, point(curve, 4)}}))
                  .fault,
              HasSubstr("CKA_KEY_TYPE"));
  EXPECT_THAT(stated_key(attributes(CKK_DSA, {})).fault, HasSubstr("CKA_KEY_TYPE"));
  EXPECT_THAT(stated_key(Attributes()).fault, HasSubstr("CKA_KEY_TYPE"));
}

TEST(StatedKey, OfAPrivateKeyMayBeNothing) {
  const Curve& curve = *find_curve("P-256");
  for (const Attributes& object : {attributes(CKK_EC, {{CKA_EC_PARAMS, bytes(curve.parameters)}}),
                                   attributes(CKK_EC, {}), attributes(CKK_RSA, {})}) {
    EXPECT_FALSE(stated_key(object).key);
    EXPECT_THAT(stated_key(object).fault, IsEmpty());
  }
}

Bytes modulus() {
  Bytes number(256, 0xa5);
  number.front() = 0x80;
  number.back() = 0x01;
  return number;
}

StatedKey rsa(const Bytes& modulus, const Bytes& exponent) {
  return stated_key(attributes(CKK_RSA, {{CKA_MODULUS, modulus}, {CKA_PUBLIC_EXPONENT, exponent}}));
}

TEST(StatedKey, OfRsaHasNoLeadingZeros) {
  const StatedKey plain = rsa(modulus(), {1, 0, 1});
  ASSERT_TRUE(plain.key) << plain.fault;
  EXPECT_EQ(rsa(joined({0}, modulus()), {0, 0, 0, 1, 0, 1}).key, plain.key);
}

TEST(StatedKey, OfRsaRefusesWhatNoKeyHas) {
  Bytes even = modulus();
  even.back() = 0;
  EXPECT_THAT(rsa(Bytes(256, 0), {1, 0, 1}).fault, HasSubstr("CKA_MODULUS is zero"));
  EXPECT_THAT(rsa(even, {1, 0, 1}).fault, HasSubstr("even"));
  EXPECT_THAT(rsa({0x0f, 0x01}, {3}).fault, HasSubstr("bits"));
  EXPECT_THAT(rsa(Bytes(2049, 0xff), {1, 0, 1}).fault, HasSubstr("bits"));
  for (const Bytes& exponent : {Bytes{0}, Bytes{1}, Bytes{2}, Bytes{0, 0, 1, 0}}) {
    EXPECT_THAT(rsa(modulus(), exponent).fault, HasSubstr("CKA_PUBLIC_EXPONENT is"));
  }
  EXPECT_THAT(rsa(modulus(), joined({1}, modulus())).fault, HasSubstr("not below"));
  EXPECT_THAT(rsa(modulus(), {}).fault, HasSubstr("no CKA_PUBLIC_EXPONENT"));
  EXPECT_THAT(rsa({}, {1, 0, 1}).fault, HasSubstr("no CKA_MODULUS"));
}

TEST(StatedKey, MayStateAKeyByItsCompressedPoint) {
  const Curve& curve = *find_curve("P-256");
  const PublicKey whole = *stated(curve, point(curve, 4)).key;  // y is odd
  Bytes compressed = point(curve, 3);
  compressed.resize(33);
  EXPECT_TRUE(states(whole, whole));
  EXPECT_TRUE(states(*stated(curve, compressed).key, whole));
  Bytes other_sign = compressed;
  other_sign[0] = 2;
  EXPECT_FALSE(states(*stated(curve, other_sign).key, whole));
  compressed.back() ^= 1;
  EXPECT_FALSE(states(*stated(curve, compressed).key, whole));
}

}  // namespace
}  // namespace keystay::pkcs11
