#include "native/pkcs11/slot.h"

#include <optional>
#include <utility>
#include <vector>

#include "native/pkcs11/error.h"
#include "native/pkcs11/module_call.h"

namespace keystay::pkcs11 {
namespace {

// CK_TOKEN_INFO's fields are padded with blanks; some modules pad with zeros.
template <std::size_t Size>
std::string unpadded(const CK_UTF8CHAR (&field)[Size]) {
  std::string text(reinterpret_cast<const char*>(field), Size);
  text.erase(std::min(text.find('\0'), text.size()));
  text.erase(text.find_last_not_of(' ') + 1);
  return text;
}

bool is(const TokenInfo& token, const TokenIdentity& wanted) {
  const auto agrees = [](const std::string& shown, const std::string& demanded) {
    return demanded.empty() || shown == demanded;
  };
  return agrees(token.label, wanted.label) && agrees(token.serial, wanted.serial) &&
         agrees(token.manufacturer, wanted.manufacturer) && agrees(token.model, wanted.model);
}

std::string present(const std::vector<TokenInfo>& tokens) {
  if (tokens.empty()) return "it shows no token at all";
  std::string text = "it shows";
  for (const TokenInfo& token : tokens) {
    text += &token == tokens.data() ? " \"" : ", \"";
    text += token.label + "\" (serial " + token.serial + ")";
  }
  return text;
}

}  // namespace

TokenInfo token_info(CK_FUNCTION_LIST& functions, CK_SLOT_ID slot) {
  CK_TOKEN_INFO info{};
  check(ModuleCall(functions)->C_GetTokenInfo(slot, &info), "C_GetTokenInfo");
  return {unpadded(info.label), unpadded(info.manufacturerID),
          unpadded(info.model), unpadded(info.serialNumber),
          info.flags,           info.ulMaxSessionCount};
}

std::string to_string(const TokenIdentity& identity) {
  std::string text = "token";
  const char* conjunction = " with ";
  const auto add = [&](const char* what, const std::string& value) {
    if (value.empty()) return;
    text += conjunction + std::string(what) + " \"" + value + "\"";
    conjunction = " and ";
  };
  add("label", identity.label);
  add("serial", identity.serial);
  add("manufacturer", identity.manufacturer);
  add("model", identity.model);
  return text;
}

CK_SLOT_ID find_slot(Module& module, const TokenIdentity& wanted, Deadline deadline) {
  std::optional<CK_SLOT_ID> found;
  std::optional<Error> sick;  // a token that does not answer must not hide the others
  std::vector<TokenInfo> others;
  for (const CK_SLOT_ID slot : module.slots_with_token(deadline)) {
    TokenInfo info;
    try {
      info = token_info(module.functions(deadline), slot);
    } catch (const Error& error) {
      sick = error;
      continue;
    }
    if (!(info.flags & CKF_TOKEN_INITIALIZED)) continue;
    if (!is(info, wanted)) {
      others.push_back(std::move(info));
      continue;
    }
    if (found) {
      throw Error(ErrorClass::client, "several tokens of " + module.path().string() + " match " +
                                          to_string(wanted) + "; name the one by its serial");
    }
    found = slot;
  }
  if (!found && sick) throw sick->on(to_string(wanted));
  if (!found) {
    const std::string message =
        "PKCS#11 module " + module.path().string() + " has no " + to_string(wanted) + "; " + present(others);
    // A module that shows other tokens works; one that shows none may have lost its HSM.
    if (others.empty()) throw Error(ErrorClass::server, message);
    throw Error(CKR_TOKEN_NOT_PRESENT, message);
  }
  return *found;
}

}  // namespace keystay::pkcs11
