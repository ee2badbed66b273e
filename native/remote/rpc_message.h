// The messages of p11-kit's RPC protocol, as `p11-kit server` speaks it: a request names a function of
// Cryptoki and carries its arguments, a response what it returned. docs/design/remote.md has the form.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "native/pkcs11/cryptoki.h"

namespace keystay::remote {

using pkcs11::Bytes;
using pkcs11::ByteView;

// How the server reads and writes. The two sides agree on the lower of their versions when they connect.
enum class Version : std::uint8_t {
  v0,  // p11-kit up to 0.24
  v1,  // 0.25.0 to 0.25.5
  v2,  // from 0.25.6 on
};

inline constexpr Version kNewestVersion = Version::v2;

// The functions by p11-kit's numbers.
enum class Call : std::uint32_t {
  initialize = 1,
  finalize = 2,
  get_slot_list = 4,
  get_token_info = 6,
  get_mechanism_info = 8,
  open_session = 10,
  close_session = 11,
  get_session_info = 13,
  login = 18,
  create_object = 20,
  copy_object = 21,
  destroy_object = 22,
  get_attribute_value = 24,
  set_attribute_value = 25,
  find_objects_init = 26,
  find_objects = 27,
  find_objects_final = 28,
  encrypt_init = 29,
  encrypt = 30,
  decrypt_init = 33,
  decrypt = 34,
  sign_init = 42,
  sign = 43,
  sign_update = 44,
  sign_final = 45,
  verify_init = 48,
  verify = 49,
  generate_key = 58,
  generate_key_pair = 59,
  wrap_key = 60,
  unwrap_key = 61,
  derive_key = 62,
  generate_random = 64,
};

// "C_Sign": for messages.
[[nodiscard]] const char* function_name(Call call);

// In front of each message: its code, by which a response is known, and the sizes of two parts.
inline constexpr std::size_t kHeaderSize = 12;
// No response is longer: certificates and lists of objects are far below.
inline constexpr std::size_t kLongestResponse = std::size_t{16} << 20U;

// A request while it is written, argument by argument, in the order of the function's.
class Request final {
 public:
  explicit Request(Call call);
  Request(Request&&) noexcept = default;
  Request& operator=(Request&&) = delete;
  ~Request();  // wiped: it may hold a PIN

  Request& byte(std::uint8_t value);
  Request& number(CK_ULONG value);
  Request& bytes(const CK_BYTE* data, CK_ULONG size);  // a null pointer stands for itself
  Request& attributes(std::span<const CK_ATTRIBUTE> values);
  // A mechanism with its parameters. Throws Error(CKR_MECHANISM_INVALID) for one that this version of p11-kit
  // cannot carry, and says which can.
  Request& mechanism(const CK_MECHANISM& mechanism, Version version);
  // Places for what is returned: bytes or numbers (how many), attributes (with the size of each).
  Request& room(CK_ULONG size);
  Request& room(std::span<const CK_ATTRIBUTE> places);

  [[nodiscard]] Call call() const noexcept { return call_; }
  // With its header; the request is complete.
  [[nodiscard]] ByteView frame(std::uint32_t code);

 private:
  void u32(std::uint32_t value);
  void byte_array(const CK_BYTE* data, CK_ULONG size);
  void attribute(const CK_ATTRIBUTE& attribute);
  void parameters(const CK_MECHANISM& mechanism, Version version);

  Call call_;
  Bytes data_;
};

// A response while it is read, in the order of the function's results. Everything throws Error (server) where
// the bytes are not what the protocol has there: whatever the other side sends, nothing else is read.
class Response final {
 public:
  // Of a body without its header.
  Response(Call call, Bytes body);
  Response(Response&&) noexcept = default;
  Response& operator=(Response&&) = delete;
  ~Response();  // wiped: it may hold a secret

  // What the function returned. Unless it is CKR_OK there is nothing more to read.
  [[nodiscard]] CK_RV rv() const noexcept { return rv_; }

  [[nodiscard]] CK_ULONG number();
  [[nodiscard]] CK_VERSION version();
  void text(std::span<CK_UTF8CHAR> place);  // blank-padded, of exactly this size
  // What fits; the return value of the function, by the rules of section 5.2 for places that are too small.
  [[nodiscard]] CK_RV bytes(CK_BYTE* place, CK_ULONG& size);
  [[nodiscard]] CK_RV numbers(CK_ULONG* place, CK_ULONG& count);
  [[nodiscard]] CK_RV attributes(std::span<CK_ATTRIBUTE> places);

 private:
  std::uint8_t u8();
  std::uint32_t u32();
  std::uint64_t u64();
  // Nothing is a null pointer.
  ByteView byte_array();
  ByteView take(std::size_t size);
  void attribute(CK_ATTRIBUTE& place);
  [[nodiscard]] ByteView attribute_value(CK_ATTRIBUTE_TYPE type, Bytes& value);
  void skip_attributes();

  Bytes body_;
  std::size_t at_ = 0;
  CK_RV rv_ = CKR_OK;
};

}  // namespace keystay::remote
