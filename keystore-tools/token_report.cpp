#include "keystore-tools/token_report.h"

#include <array>
#include <string_view>
#include <vector>

#include <boost/json.hpp>

#include "keystore-tools/output_form.h"
#include "native/pkcs11/mechanism_names.h"

namespace keystay::tools {
namespace {

struct Use {
  CK_FLAGS flag;
  std::string_view name;
};

// CK_MECHANISM_INFO.flags (PKCS #11 v3.0, section 3.5).
constexpr std::array kUses = std::to_array<Use>({{CKF_ENCRYPT, "encrypt"},
                                                 {CKF_DECRYPT, "decrypt"},
                                                 {CKF_DIGEST, "digest"},
                                                 {CKF_SIGN, "sign"},
                                                 {CKF_SIGN_RECOVER, "sign-recover"},
                                                 {CKF_VERIFY, "verify"},
                                                 {CKF_VERIFY_RECOVER, "verify-recover"},
                                                 {CKF_GENERATE, "generate"},
                                                 {CKF_GENERATE_KEY_PAIR, "generate-key-pair"},
                                                 {CKF_WRAP, "wrap"},
                                                 {CKF_UNWRAP, "unwrap"},
                                                 {CKF_DERIVE, "derive"}});

std::vector<std::string_view> uses(const pkcs11::MechanismInfo& mechanism) {
  std::vector<std::string_view> names;
  for (const Use& use : kUses)
    if (mechanism.flags & use.flag) names.push_back(use.name);
  return names;
}

boost::json::value number_or_null(const std::optional<unsigned long>& number) {
  return number ? boost::json::value(*number) : boost::json::value(nullptr);
}

// CK_EFFECTIVELY_INFINITE is 0, and a token may not tell.
boost::json::value most(unsigned long count) {
  return number_or_null(count == CK_EFFECTIVELY_INFINITE || count == CK_UNAVAILABLE_INFORMATION
                            ? std::nullopt
                            : std::optional(count));
}

}  // namespace

std::string_view words(pkcs11::PinState state) {
  switch (state) {
    case pkcs11::PinState::not_set:
      return "not set";
    case pkcs11::PinState::good:
      return "set";
    case pkcs11::PinState::count_low:
      return "count low";
    case pkcs11::PinState::final_try:
      return "final try";
    case pkcs11::PinState::locked:
      return "locked";
    case pkcs11::PinState::to_be_changed:
      return "to be changed";
  }
  return "";
}

boost::json::object token_in_json(const pkcs11::TokenDetails& token) {
  const auto is = [&](CK_FLAGS flag) { return (token.flags & flag) != 0; };
  return {{"label", json_text(token.label)},
          {"serial", json_text(token.serial)},
          {"manufacturer", json_text(token.manufacturer)},
          {"model", json_text(token.model)},
          {"hardware", token.hardware_version},
          {"firmware", token.firmware_version},
          {"initialized", is(CKF_TOKEN_INITIALIZED)},
          {"login-required", is(CKF_LOGIN_REQUIRED)},
          {"write-protected", is(CKF_WRITE_PROTECTED)},
          {"pin-pad", is(CKF_PROTECTED_AUTHENTICATION_PATH)},
          {"user-pin", words(pin_state(token.flags, pkcs11::Role::user))},
          {"so-pin", words(pin_state(token.flags, pkcs11::Role::security_officer))},
          {"shortest-pin", token.shortest_pin},
          {"longest-pin", token.longest_pin},
          {"sessions", number_or_null(token.sessions)},
          {"most-sessions", most(token.max_sessions)}};
}

boost::json::object slot_in_json(const std::string& module, const pkcs11::SlotInfo& slot) {
  boost::json::object object{{"module", json_text(module)},
                             {"slot", slot.number},
                             {"description", json_text(slot.description)},
                             {"manufacturer", json_text(slot.manufacturer)},
                             {"hardware", (slot.flags & CKF_HW_SLOT) != 0},
                             {"removable", (slot.flags & CKF_REMOVABLE_DEVICE) != 0},
                             {"token", nullptr}};
  if (slot.token) object["token"] = token_in_json(*slot.token);
  if (!slot.fault.empty()) object["error"] = json_text(slot.fault);
  return object;
}

boost::json::object mechanism_in_json(const pkcs11::MechanismInfo& mechanism) {
  boost::json::array names;
  for (const std::string_view use : uses(mechanism)) names.emplace_back(use);
  return {{"name", pkcs11::mechanism_name(mechanism.type)},
          {"number", mechanism.type},
          {"smallest-key", mechanism.smallest_key},
          {"largest-key", mechanism.largest_key},
          {"uses", std::move(names)},
          {"hardware", (mechanism.flags & CKF_HW) != 0}};
}

std::string uses_in_words(const pkcs11::MechanismInfo& mechanism) {
  std::string text;
  for (const std::string_view use : uses(mechanism)) text.append(text.empty() ? "" : ", ").append(use);
  return text;
}

}  // namespace keystay::tools
