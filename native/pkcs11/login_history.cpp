#include "native/pkcs11/login_history.h"

#include <cstdint>

#include "native/pkcs11/siphash.h"

namespace keystay::pkcs11 {
namespace {

// Another number of the name for each `purpose`; never 0, which means none.
std::uint64_t number_of(std::string_view name, char purpose, const LoginTable& table) {
  std::string text{purpose};
  text += name;
  const std::uint64_t number =
      siphash(table.key(), {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
  return number == 0 ? 1 : number;
}

}  // namespace

LoginHistory::LoginHistory(LoginTable& table, std::string_view name)
    : record(table.record(number_of(name, 't', table))),
      key_{number_of(name, '0', table), number_of(name, '1', table)} {}

PinDigest LoginHistory::digest(const Pin& pin) const noexcept {
  const std::uint64_t number = siphash(key_, pin.bytes());
  return PinDigest{number == 0 ? 1 : number};
}

}  // namespace keystay::pkcs11
