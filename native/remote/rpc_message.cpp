#include "native/remote/rpc_message.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <string>

#include "native/pkcs11/error.h"
#include "native/pkcs11/wipe.h"

namespace keystay::remote {
namespace {

constexpr std::uint32_t kNoBytes = 0xFFFFFFFF;  // the length of a null pointer

// The types of a function's arguments and results, which each message repeats: u a number, y a byte, ay
// bytes, au numbers, aA attributes, M a mechanism, v a version, s text; with f before them, a place for such.
struct Signature {
  Call call;
  const char* function;
  std::string_view request;
  std::string_view response;
};

constexpr std::array kSignatures = std::to_array<Signature>({
    {Call::initialize, "C_Initialize", "ayyay", ""},
    {Call::finalize, "C_Finalize", "", ""},
    {Call::get_slot_list, "C_GetSlotList", "yfu", "au"},
    {Call::get_token_info, "C_GetTokenInfo", "u", "ssssuuuuuuuuuuuvvs"},
    {Call::get_mechanism_info, "C_GetMechanismInfo", "uu", "uuu"},
    {Call::open_session, "C_OpenSession", "uu", "u"},
    {Call::close_session, "C_CloseSession", "u", ""},
    {Call::get_session_info, "C_GetSessionInfo", "u", "uuuu"},
    {Call::login, "C_Login", "uuay", ""},
    {Call::create_object, "C_CreateObject", "uaA", "u"},
    {Call::copy_object, "C_CopyObject", "uuaA", "u"},
    {Call::destroy_object, "C_DestroyObject", "uu", ""},
    {Call::get_attribute_value, "C_GetAttributeValue", "uufA", "aAu"},
    {Call::set_attribute_value, "C_SetAttributeValue", "uuaA", ""},
    {Call::find_objects_init, "C_FindObjectsInit", "uaA", ""},
    {Call::find_objects, "C_FindObjects", "ufu", "au"},
    {Call::find_objects_final, "C_FindObjectsFinal", "u", ""},
    {Call::encrypt_init, "C_EncryptInit", "uMu", ""},
    {Call::encrypt, "C_Encrypt", "uayfy", "ay"},
    {Call::decrypt_init, "C_DecryptInit", "uMu", ""},
    {Call::decrypt, "C_Decrypt", "uayfy", "ay"},
    {Call::sign_init, "C_SignInit", "uMu", ""},
    {Call::sign, "C_Sign", "uayfy", "ay"},
    {Call::sign_update, "C_SignUpdate", "uay", ""},
    {Call::sign_final, "C_SignFinal", "ufy", "ay"},
    {Call::verify_init, "C_VerifyInit", "uMu", ""},
    {Call::verify, "C_Verify", "uayay", ""},
    {Call::generate_key, "C_GenerateKey", "uMaA", "u"},
    {Call::generate_key_pair, "C_GenerateKeyPair", "uMaAaA", "uu"},
    {Call::wrap_key, "C_WrapKey", "uMuufy", "ay"},
    {Call::unwrap_key, "C_UnwrapKey", "uMuayaA", "u"},
    {Call::derive_key, "C_DeriveKey", "uMuaA", "u"},
    {Call::generate_random, "C_GenerateRandom", "ufy", "ay"},
});

const Signature& signature(Call call) {
  return *std::find_if(kSignatures.begin(), kSignatures.end(),
                       [call](const Signature& known) { return known.call == call; });
}

[[noreturn]] void fail(const char* what) {
  throw pkcs11::Error(CKR_DEVICE_ERROR,
                      std::string("what the other machine answers is not p11-kit's protocol (") + what +
                          "); is `p11-kit server` what listens there?");
}

}  // namespace

const char* function_name(Call call) { return signature(call).function; }

Request::Request(Call call) : call_(call), data_(kHeaderSize) {
  data_.reserve(256);
  u32(static_cast<std::uint32_t>(call));
  const std::string_view types = signature(call).request;
  byte_array(reinterpret_cast<const CK_BYTE*>(types.data()), types.size());
}

Request::~Request() { pkcs11::wipe(data_); }

Request& Request::byte(std::uint8_t value) {
  data_.push_back(value);
  return *this;
}

void Request::u32(std::uint32_t value) {
  for (const unsigned shift : {24U, 16U, 8U, 0U}) data_.push_back(static_cast<std::uint8_t>(value >> shift));
}

Request& Request::number(CK_ULONG value) {
  u32(static_cast<std::uint32_t>(std::uint64_t{value} >> 32U));
  u32(static_cast<std::uint32_t>(value));
  return *this;
}

void Request::byte_array(const CK_BYTE* data, CK_ULONG size) {
  if (data == nullptr) return u32(kNoBytes);
  u32(static_cast<std::uint32_t>(size));
  // A vector that grows leaves its bytes behind.
  if (data_.size() + size > data_.capacity()) {
    Bytes larger;
    larger.reserve(2 * (data_.size() + size));
    larger = data_;
    pkcs11::wipe(data_);
    data_.swap(larger);
  }
  data_.insert(data_.end(), data, data + size);
}

Request& Request::bytes(const CK_BYTE* data, CK_ULONG size) {
  byte(data != nullptr ? 1 : 0);
  if (data == nullptr)
    u32(static_cast<std::uint32_t>(size));
  else
    byte_array(data, size);
  return *this;
}

Request& Request::room(CK_ULONG size) {
  u32(static_cast<std::uint32_t>(size));
  return *this;
}

ByteView Request::frame(std::uint32_t code) {
  const auto size = static_cast<std::uint32_t>(data_.size() - kHeaderSize);
  const std::array<std::uint32_t, 3> header{code, 0, size};
  for (std::size_t i = 0; i < kHeaderSize; ++i)
    data_[i] = static_cast<std::uint8_t>(header[i / 4] >> (24 - 8 * (i % 4)));
  return data_;
}

Response::Response(Call call, Bytes body) : body_(std::move(body)) {
  constexpr std::uint32_t kError = 0;
  const std::uint32_t answered = u32();
  if (answered != kError && answered != static_cast<std::uint32_t>(call)) fail("it answers another function");
  const std::string_view expected = answered == kError ? "u" : signature(call).response;
  const ByteView types = byte_array();
  if (!std::equal(types.begin(), types.end(), expected.begin(), expected.end())) fail("its types differ");
  if (answered != kError) return;
  rv_ = u64();
  if (rv_ == CKR_OK) fail("it reports an error that is none");
}

Response::~Response() { pkcs11::wipe(body_); }

ByteView Response::take(std::size_t size) {
  if (size > body_.size() - at_) fail("it ends too early");
  const ByteView bytes = ByteView(body_).subspan(at_, size);
  at_ += size;
  return bytes;
}

std::uint8_t Response::u8() { return take(1)[0]; }

std::uint32_t Response::u32() {
  std::uint32_t value = 0;
  for (const std::uint8_t byte : take(4)) value = value << 8U | byte;
  return value;
}

std::uint64_t Response::u64() {
  const std::uint64_t high = u32();
  return high << 32U | u32();
}

CK_ULONG Response::number() { return static_cast<CK_ULONG>(u64()); }

CK_VERSION Response::version() {
  const ByteView bytes = take(2);
  return {bytes[0], bytes[1]};
}

ByteView Response::byte_array() {
  const std::uint32_t size = u32();
  return size == kNoBytes ? ByteView() : take(size);
}

void Response::text(std::span<CK_UTF8CHAR> place) {
  const ByteView bytes = byte_array();
  if (bytes.size() != place.size()) fail("a text has another length");
  std::copy(bytes.begin(), bytes.end(), place.begin());
}

CK_RV Response::bytes(CK_BYTE* place, CK_ULONG& size) {
  const CK_ULONG most = size;
  if (u8() == 0) {
    size = u32();
    return place != nullptr ? CKR_BUFFER_TOO_SMALL : CKR_OK;
  }
  const ByteView value = byte_array();
  size = value.size();
  if (place == nullptr) return CKR_OK;
  if (value.size() > most) return CKR_BUFFER_TOO_SMALL;
  std::copy(value.begin(), value.end(), place);
  return CKR_OK;
}

CK_RV Response::numbers(CK_ULONG* place, CK_ULONG& count) {
  const CK_ULONG most = count;
  const bool present = u8() != 0;
  count = u32();
  if (count > kLongestResponse / sizeof(std::uint64_t)) fail("it counts more than it could send");
  if (!present) return place != nullptr ? CKR_BUFFER_TOO_SMALL : CKR_OK;
  if (place == nullptr) return CKR_OK;
  if (count > most) return CKR_BUFFER_TOO_SMALL;
  for (CK_ULONG i = 0; i < count; ++i) place[i] = number();
  return CKR_OK;
}

}  // namespace keystay::remote
