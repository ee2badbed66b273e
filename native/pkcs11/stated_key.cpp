#include "native/pkcs11/stated_key.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "native/pkcs11/curve.h"
#include "native/pkcs11/der_element.h"
#include "native/pkcs11/text.h"

namespace keystay::pkcs11 {
namespace {

// X.690, section 8: universal tags.
constexpr std::uint8_t kBitString = 0x03;
constexpr std::uint8_t kOctetString = 0x04;
constexpr std::uint8_t kNull = 0x05;
constexpr std::uint8_t kObjectIdentifier = 0x06;
constexpr std::uint8_t kSequence = 0x30;

// SEC 1, section 2.3.3, and X9.62, section 4.3.6: the first byte of a point. Below the lowest bit, which is
// that of y.
enum class PointForm : std::uint8_t { compressed = 2, uncompressed = 4, hybrid = 6 };

// The sizes that libcrypto and the JDK take.
constexpr std::size_t kShortestModulus = 512;
constexpr std::size_t kLongestModulus = 16384;

StatedKey faulty(std::string fault) { return {std::nullopt, std::move(fault)}; }

Bytes without_leading_zeros(const Bytes& number) {
  return {std::find_if(number.begin(), number.end(), [](std::uint8_t byte) { return byte != 0; }),
          number.end()};
}

std::size_t bit_length(const Bytes& number) {
  return number.empty() ? 0 : number.size() * 8 - static_cast<std::size_t>(std::countl_zero(number[0]));
}

bool is_even(const Bytes& number) { return number.empty() || (number.back() & 1) == 0; }

bool less(const Bytes& a, const Bytes& b) {
  return a.size() != b.size() ? a.size() < b.size() : std::ranges::lexicographical_compare(a, b);
}

StatedKey rsa_key(const Attributes& object) {
  const Bytes* modulus = object.find(CKA_MODULUS);
  const Bytes* exponent = object.find(CKA_PUBLIC_EXPONENT);
  const bool has_modulus = modulus && !modulus->empty();
  const bool has_exponent = exponent && !exponent->empty();
  if (!has_modulus && !has_exponent) return {};
  if (!has_modulus) return faulty("it has no CKA_MODULUS");
  if (!has_exponent) return faulty("it has no CKA_PUBLIC_EXPONENT");
  RsaPublicKey key{without_leading_zeros(*modulus), without_leading_zeros(*exponent)};
  if (std::string fault = fault_of(key); !fault.empty()) return faulty(std::move(fault));
  return {std::move(key)};
}

std::string fault_of_parameters(ByteView parameters) {
  ByteView rest = parameters;
  const std::optional<DerElement> element = take_element(rest);
  if (!element || !rest.empty())
    return "its CKA_EC_PARAMS are no DER ECParameters: " +
           hex(parameters.first(std::min<std::size_t>(parameters.size(), 16)));
  switch (element->tag) {
    case kSequence:
      return "its CKA_EC_PARAMS write the curve out (explicit parameters, which RFC 5480 forbids); Keystay "
             "uses named curves only";
    case kNull:
      return "its CKA_EC_PARAMS leave the curve to others (implicitlyCA); Keystay uses named curves only";
    case kObjectIdentifier:
      return "its CKA_EC_PARAMS name a curve that Keystay does not know: the OBJECT IDENTIFIER " +
             hex(parameters);
    default:
      return "its CKA_EC_PARAMS name a curve that Keystay does not know: " + hex(parameters);
  }
}

bool has_form(PointForm form, ByteView point) {
  return !point.empty() && (point[0] & ~1U) == static_cast<unsigned>(form);
}

// By its length and first byte: a point of this curve, without anything around it.
bool is_point(ByteView bytes, const Curve& curve) {
  if (curve.key_type != CKK_EC) return bytes.size() == curve.point_size;
  if (bytes.size() == (curve.point_size + 1) / 2) return has_form(PointForm::compressed, bytes);
  if (bytes.size() != curve.point_size) return false;
  return bytes[0] == static_cast<unsigned>(PointForm::uncompressed) || has_form(PointForm::hybrid, bytes);
}

// A BIT STRING of whole bytes: as subjectPublicKey is written.
std::optional<ByteView> bits_of(ByteView bytes) {
  const std::optional<ByteView> content = content_of(kBitString, bytes);
  if (!content || content->empty() || content->front() != 0) return std::nullopt;
  return content->subspan(1);
}

// CKA_EC_POINT is a DER OCTET STRING by the standard (v3.0, section 2.3.3), the bare point on some tokens,
// and a BIT STRING on others. The length of the bare point comes first, because one may look like either
// string.
std::optional<ByteView> point_in(ByteView value, const Curve& curve) {
  for (const std::optional<ByteView>& candidate :
       {std::optional(value), content_of(kOctetString, value), bits_of(value)}) {
    if (candidate && is_point(*candidate, curve)) return candidate;
  }
  return std::nullopt;
}

std::string fault_of_point(ByteView value, const Curve& curve) {
  const std::string name(curve.name);
  std::string sizes = std::to_string(curve.point_size);
  if (curve.key_type == CKK_EC) sizes += " or, compressed, " + std::to_string((curve.point_size + 1) / 2);
  return "its CKA_EC_POINT is no point of " + name + ", which has " + sizes +
         " bytes, bare or in a DER OCTET STRING or BIT STRING: the value has " +
         std::to_string(value.size()) +
         (value.empty() ? ""
                        : " and begins with " + hex(value.first(std::min<std::size_t>(value.size(), 4))));
}

PublicKey curve_key(const Curve& curve, ByteView point) {
  Bytes oid(curve.parameters.begin(), curve.parameters.end());
  Bytes bare(point.begin(), point.end());
  if (curve.key_type == CKK_EC_EDWARDS) return EdwardsPublicKey{std::move(oid), std::move(bare)};
  if (curve.key_type == kMontgomeryKey) return MontgomeryPublicKey{std::move(oid), std::move(bare)};
  return EcPublicKey{std::move(oid), std::move(bare)};
}

// Of a private key often nothing, or the curve alone.
StatedKey curve_key(CK_KEY_TYPE type, const Attributes& object) {
  const Bytes* parameters = object.find(CKA_EC_PARAMS);
  const Bytes* value = object.find(CKA_EC_POINT);
  const bool has_point = value && !value->empty();
  if (!parameters || parameters->empty()) return has_point ? faulty("it has no CKA_EC_PARAMS") : StatedKey{};
  const Curve* curve = find_curve_by_parameters(*parameters);
  if (!curve) return faulty(fault_of_parameters(*parameters));
  if (curve->key_type == CKK_EC && type != CKK_EC) {
    return faulty("its CKA_EC_PARAMS name " + std::string(curve->name) +
                  ", which is no curve of its CKA_KEY_TYPE");
  }
  if (!has_point) return {};
  const std::optional<ByteView> point = point_in(*value, *curve);
  if (!point) return faulty(fault_of_point(*value, *curve));
  PublicKey key = curve_key(*curve, *point);
  if (auto* ec = std::get_if<EcPublicKey>(&key); ec && has_form(PointForm::hybrid, ec->point)) {
    if ((ec->point.front() & 1) != (ec->point.back() & 1))
      return faulty("its CKA_EC_POINT is a hybrid point whose first byte is not that of its y");
    ec->point.front() = static_cast<std::uint8_t>(PointForm::uncompressed);
  }
  return {std::move(key)};
}

Bytes compressed(const Bytes& uncompressed_point) {
  const std::size_t coordinate = uncompressed_point.size() / 2;
  const unsigned sign = uncompressed_point.back() & 1U;
  Bytes point = {static_cast<std::uint8_t>(static_cast<unsigned>(PointForm::compressed) | sign)};
  point.insert(point.end(), uncompressed_point.begin() + 1,
               uncompressed_point.begin() + 1 + static_cast<std::ptrdiff_t>(coordinate));
  return point;
}

}  // namespace

StatedKey stated_key(const Attributes& object) {
  const std::optional<CK_ULONG> type = object.number(CKA_KEY_TYPE);
  if (!type) return faulty("it has no CKA_KEY_TYPE");
  switch (*type) {
    case CKK_RSA:
      return rsa_key(object);
    case CKK_EC:
    case CKK_EC_EDWARDS:
    case kMontgomeryKey:
      return curve_key(*type, object);
    default:
      return faulty("its CKA_KEY_TYPE, " + std::to_string(*type) +
                    ", is none that Keystay uses: RSA and elliptic curves");
  }
}

std::string fault_of(const RsaPublicKey& key) {
  const std::size_t bits = bit_length(key.modulus);
  if (bits == 0) return "its CKA_MODULUS is zero";
  if (bits < kShortestModulus || bits > kLongestModulus)
    return "its CKA_MODULUS has " + std::to_string(bits) + " bits; Keystay uses RSA keys of 512 to 16384";
  if (is_even(key.modulus)) return "its CKA_MODULUS is even";
  if (is_even(key.public_exponent) || bit_length(key.public_exponent) < 2)
    return "its CKA_PUBLIC_EXPONENT is zero, one or even";
  if (!less(key.public_exponent, key.modulus)) return "its CKA_PUBLIC_EXPONENT is not below its CKA_MODULUS";
  return {};
}

bool states(const PublicKey& stated, const PublicKey& key) {
  const auto* half = std::get_if<EcPublicKey>(&stated);
  const auto* whole = std::get_if<EcPublicKey>(&key);
  if (!half || !whole || !has_form(PointForm::compressed, half->point)) return stated == key;
  return half->parameters == whole->parameters && half->point == compressed(whole->point);
}

}  // namespace keystay::pkcs11
