// What answers at an endpoint, as p11-kit's response to one function: a byte for the function, then the body.
#include <algorithm>
#include <array>
#include <iterator>

#include "native/pkcs11/error.h"
#include "native/remote/rpc_message.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/law.h"

namespace keystay::test {
namespace {

using remote::Call;
using remote::Response;

constexpr std::size_t kRoom = 32;

void read_attributes(Response& response) {
  std::array<std::array<CK_BYTE, kRoom + 1>, 4> values{};
  std::array<CK_ATTRIBUTE, 4> places{};
  constexpr std::array<CK_ATTRIBUTE_TYPE, 4> kTypes = {CKA_ID, CKA_KEY_TYPE, CKA_ALLOWED_MECHANISMS,
                                                       CKA_WRAP_TEMPLATE};
  for (std::size_t i = 0; i < places.size(); ++i) places[i] = {kTypes[i], values[i].data(), kRoom};
  static_cast<void>(response.attributes(places));
  for (const auto& value : values) require(value.back() == 0, "nothing is written past a place");
}

void read_all(Call call, Response& response) {
  std::array<CK_BYTE, kRoom + 1> bytes{};
  std::array<CK_ULONG, kRoom + 1> numbers{};
  CK_ULONG size = kRoom;
  switch (call) {
    case Call::get_attribute_value:
      return read_attributes(response);
    case Call::find_objects:
      static_cast<void>(response.numbers(numbers.data(), size));
      return require(numbers.back() == 0, "no number is written past the place");
    case Call::get_token_info: {
      std::array<CK_UTF8CHAR, 32> label{};
      response.text(label);
      return;
    }
    default:
      static_cast<void>(response.bytes(bytes.data(), size));
      return require(bytes.back() == 0, "no byte is written past the place");
  }
}

void read(pkcs11::ByteView data) {
  constexpr std::array kCalls = {Call::get_attribute_value, Call::find_objects, Call::get_token_info,
                                 Call::sign};
  if (data.empty()) return;
  const Call call = kCalls[data[0] % kCalls.size()];
  try {
    Response response(call, pkcs11::Bytes(data.begin() + 1, data.end()));
    if (response.rv() == CKR_OK) read_all(call, response);
  } catch (const pkcs11::Error& error) {
    require(error.error_class() == pkcs11::ErrorClass::server, "a bad answer is the server's fault");
  }
}

}  // namespace
}  // namespace keystay::test

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  keystay::test::read({data, size});
  return 0;
}
