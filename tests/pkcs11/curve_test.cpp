#include "native/pkcs11/curve.h"

#include <gtest/gtest.h>
#include <openssl/asn1.h>
#include <openssl/ec.h>
#include <openssl/objects.h>

#include "tests/support/signature_check.h"

namespace keystay::pkcs11 {
namespace {

std::string der_of(std::string_view name) {
  const ASN1_OBJECT* object = OBJ_nid2obj(OBJ_txt2nid(std::string(name).c_str()));
  unsigned char* der = nullptr;
  const int size = i2d_ASN1_OBJECT(object, &der);
  const std::string text(reinterpret_cast<char*>(der), size > 0 ? static_cast<std::size_t>(size) : 0);
  OPENSSL_free(der);
  return text;
}

ByteView bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

TEST(Curve, HasTheObjectIdentifierThatLibcryptoKnows) {
  for (const Curve& curve : curves()) EXPECT_EQ(curve.parameters, der_of(curve.openssl_name)) << curve.name;
}

TEST(Curve, HasTheSignatureSizeThatLibcryptoComputes) {
  for (const Curve& curve : curves()) {
    if (curve.key_type != CKK_EC) continue;
    EC_GROUP* group = EC_GROUP_new_by_curve_name(OBJ_txt2nid(std::string(curve.openssl_name).c_str()));
    ASSERT_NE(group, nullptr) << curve.name;
    const auto half = static_cast<std::size_t>(EC_GROUP_order_bits(group) + 7) / 8;
    EXPECT_EQ(curve.signature_size, 2 * half) << curve.name;
    EXPECT_EQ(curve.point_size, 1 + 2 * half) << curve.name;
    EC_GROUP_free(group);
  }
  EXPECT_EQ(find_curve("X25519")->signature_size, 0u);
  EXPECT_EQ(find_curve("Ed25519")->signature_size, 64u);  // RFC 8032, section 5.1.6
  EXPECT_EQ(find_curve("Ed448")->signature_size, 114u);   // section 5.2.6
}

TEST(Curve, IsFoundByEachOfItsNamesInEitherCase) {
  for (const Curve& curve : curves()) {
    EXPECT_EQ(find_curve(curve.name), &curve);
    EXPECT_EQ(find_curve(curve.openssl_name), &curve);
    EXPECT_EQ(find_curve(curve.sec_name), curve.sec_name.empty() ? nullptr : &curve);
    EXPECT_EQ(find_curve_by_parameters(bytes(curve.parameters)), &curve);
  }
  EXPECT_EQ(find_curve("SECP256R1"), find_curve("p-256"));
  EXPECT_EQ(find_curve("ed25519"), find_curve("Ed25519"));
}

// PKCS #11 v3.0, section 2.3.10, allows the curve's name in the place of its OID.
TEST(Curve, OfEdwardsAndMontgomeryIsFoundByItsPrintableString) {
  EXPECT_EQ(find_curve_by_parameters(bytes("\x13\x0c"
                                           "edwards25519")),
            find_curve("Ed25519"));
  EXPECT_EQ(find_curve_by_parameters(bytes("\x13\x0a"
                                           "edwards448")),
            find_curve("Ed448"));
  EXPECT_EQ(find_curve_by_parameters(bytes("\x13\x0a"
                                           "curve25519")),
            find_curve("X25519"));
}

TEST(Curve, ThatNobodyKnowsIsNull) {
  EXPECT_EQ(find_curve(""), nullptr);
  EXPECT_EQ(find_curve("P-255"), nullptr);
  EXPECT_EQ(find_curve_by_parameters({}), nullptr);
  EXPECT_EQ(find_curve_by_parameters(bytes("\x06\x01\x01")), nullptr);
}

}  // namespace
}  // namespace keystay::pkcs11
