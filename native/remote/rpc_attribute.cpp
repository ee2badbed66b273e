// Attributes in p11-kit's protocol: a byte, a number or bytes, by the type of each.
#include <algorithm>
#include <cstring>

#include "native/pkcs11/error.h"
#include "native/remote/rpc_message.h"

namespace keystay::remote {
namespace {

enum class Kind { byte, number, bytes, mechanisms, attributes };

// What p11-kit does not know is bytes to it.
Kind kind_of(CK_ATTRIBUTE_TYPE type) noexcept {
  switch (type) {
    case CKA_TOKEN:
    case CKA_PRIVATE:
    case CKA_TRUSTED:
    case CKA_SENSITIVE:
    case CKA_ENCRYPT:
    case CKA_DECRYPT:
    case CKA_WRAP:
    case CKA_UNWRAP:
    case CKA_SIGN:
    case CKA_SIGN_RECOVER:
    case CKA_VERIFY:
    case CKA_VERIFY_RECOVER:
    case CKA_DERIVE:
    case CKA_EXTRACTABLE:
    case CKA_LOCAL:
    case CKA_NEVER_EXTRACTABLE:
    case CKA_ALWAYS_SENSITIVE:
    case CKA_MODIFIABLE:
    case CKA_COPYABLE:
    case CKA_SECONDARY_AUTH:
    case CKA_ALWAYS_AUTHENTICATE:
    case CKA_WRAP_WITH_TRUSTED:
    case CKA_RESET_ON_INIT:
    case CKA_HAS_RESET:
    case CKA_COLOR:
      return Kind::byte;
    case CKA_CLASS:
    case CKA_CERTIFICATE_TYPE:
    case CKA_CERTIFICATE_CATEGORY:
    case CKA_JAVA_MIDP_SECURITY_DOMAIN:
    case CKA_KEY_TYPE:
    case CKA_MODULUS_BITS:
    case CKA_PRIME_BITS:
    case CKA_SUB_PRIME_BITS:
    case CKA_VALUE_BITS:
    case CKA_VALUE_LEN:
    case CKA_KEY_GEN_MECHANISM:
    case CKA_AUTH_PIN_FLAGS:
    case CKA_HW_FEATURE_TYPE:
    case CKA_PIXEL_X:
    case CKA_PIXEL_Y:
    case CKA_RESOLUTION:
    case CKA_CHAR_ROWS:
    case CKA_CHAR_COLUMNS:
    case CKA_BITS_PER_PIXEL:
    case CKA_MECHANISM_TYPE:
      return Kind::number;
    case CKA_WRAP_TEMPLATE:
    case CKA_UNWRAP_TEMPLATE:
      return Kind::attributes;
    case CKA_ALLOWED_MECHANISMS:
      return Kind::mechanisms;
    default:
      return Kind::bytes;
  }
}

[[noreturn]] void fail(const char* what) {
  throw pkcs11::Error(CKR_DEVICE_ERROR, std::string("an attribute in p11-kit's answer ") + what);
}

template <typename Number>
void append(Bytes& bytes, Number value) {
  const auto* raw = reinterpret_cast<const std::uint8_t*>(&value);
  bytes.insert(bytes.end(), raw, raw + sizeof value);
}

CK_ULONG number_of(const CK_ATTRIBUTE& attribute) noexcept {
  CK_ULONG value = 0;
  if (attribute.pValue != nullptr)
    std::memcpy(&value, attribute.pValue, std::min<std::size_t>(attribute.ulValueLen, sizeof value));
  return value;
}

}  // namespace

Request& Request::attributes(std::span<const CK_ATTRIBUTE> values) {
  u32(static_cast<std::uint32_t>(values.size()));
  for (const CK_ATTRIBUTE& value : values) attribute(value);
  return *this;
}

void Request::attribute(const CK_ATTRIBUTE& attribute) {
  const auto* value = static_cast<const CK_BYTE*>(attribute.pValue);
  u32(static_cast<std::uint32_t>(attribute.type));
  byte(1);
  u32(static_cast<std::uint32_t>(attribute.ulValueLen));
  switch (kind_of(attribute.type)) {
    case Kind::byte:
      byte(value != nullptr && attribute.ulValueLen > 0 ? *value : 0);
      return;
    case Kind::number:
      number(number_of(attribute));
      return;
    case Kind::bytes:
      return byte_array(value, attribute.ulValueLen);
    case Kind::mechanisms: {
      const CK_ULONG count = attribute.ulValueLen / sizeof(CK_MECHANISM_TYPE);
      u32(static_cast<std::uint32_t>(count));
      for (CK_ULONG i = 0; i < count; ++i) number(static_cast<const CK_MECHANISM_TYPE*>(attribute.pValue)[i]);
      return;
    }
    case Kind::attributes: {
      const std::span nested(static_cast<const CK_ATTRIBUTE*>(attribute.pValue),
                             attribute.ulValueLen / sizeof(CK_ATTRIBUTE));
      attributes(nested);
      return;
    }
  }
}

Request& Request::room(std::span<const CK_ATTRIBUTE> places) {
  u32(static_cast<std::uint32_t>(places.size()));
  for (const CK_ATTRIBUTE& place : places) {
    u32(static_cast<std::uint32_t>(place.type));
    u32(place.pValue != nullptr ? static_cast<std::uint32_t>(place.ulValueLen) : 0);
  }
  return *this;
}

CK_RV Response::attributes(std::span<CK_ATTRIBUTE> places) {
  if (u32() != places.size()) fail("is missing, or one too many");
  CK_RV own = CKR_OK;
  for (CK_ATTRIBUTE& place : places) {
    const CK_ULONG room = place.ulValueLen;
    attribute(place);
    if (place.pValue != nullptr && place.ulValueLen != CK_UNAVAILABLE_INFORMATION && place.ulValueLen > room)
      own = CKR_BUFFER_TOO_SMALL;
  }
  const CK_RV said = number();
  return said == CKR_OK ? own : said;
}

// A value that does not fit leaves its length.
void Response::attribute(CK_ATTRIBUTE& place) {
  const CK_ATTRIBUTE_TYPE type = u32();
  if (type != place.type) fail("stands where another one was asked for");
  if (u8() == 0) {
    place.ulValueLen = CK_UNAVAILABLE_INFORMATION;
    return;
  }
  const std::uint32_t length = u32();
  Bytes made;
  const ByteView value = attribute_value(type, made);
  const CK_ULONG room = place.ulValueLen;
  // Where only the length was asked for, the value is a stand-in.
  place.ulValueLen = place.pValue != nullptr ? value.size() : length;
  if (place.pValue != nullptr && value.size() <= room)
    std::copy(value.begin(), value.end(), static_cast<CK_BYTE*>(place.pValue));
}

// As Cryptoki has it in memory: in the response, or in `made`.
ByteView Response::attribute_value(CK_ATTRIBUTE_TYPE type, Bytes& made) {
  switch (kind_of(type)) {
    case Kind::byte:
      return take(1);
    case Kind::number:
      append(made, number());
      return made;
    case Kind::bytes:
      return byte_array();
    case Kind::mechanisms:
      for (std::uint32_t left = u32(); left > 0; --left) append(made, number());
      return made;
    case Kind::attributes:
      skip_attributes();
      return {};
  }
  return {};
}

// Keystay reads no attributes that are templates, whose values need memory of their own. One within another
// is not followed.
void Response::skip_attributes() {
  for (std::uint32_t left = u32(); left > 0; --left) {
    const CK_ATTRIBUTE_TYPE type = u32();
    if (kind_of(type) == Kind::attributes) fail("is a template within a template");
    if (u8() == 0) continue;
    static_cast<void>(u32());
    Bytes made;
    static_cast<void>(attribute_value(type, made));
  }
}

}  // namespace keystay::remote
