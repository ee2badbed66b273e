#include "native/pkcs11/slot.h"

#include <optional>
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

std::string wanted(std::string_view label, std::string_view serial) {
  std::string text = "token";
  if (!label.empty()) text.append(" with label \"").append(label).append("\"");
  if (!serial.empty())
    text.append(label.empty() ? " with" : " and").append(" serial \"").append(serial).append("\"");
  return text;
}

std::string present(const std::vector<std::string>& labels) {
  if (labels.empty()) return "it shows no token at all";
  std::string text = "it shows";
  for (const std::string& label : labels)
    text.append(&label == labels.data() ? " \"" : ", \"").append(label).append("\"");
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

CK_SLOT_ID find_slot(Module& module, std::string_view label, std::string_view serial, Deadline deadline) {
  std::optional<CK_SLOT_ID> found;
  std::optional<Error> sick;  // a token that does not answer must not hide the others
  std::vector<std::string> labels;
  for (const CK_SLOT_ID slot : module.slots_with_token(deadline)) {
    TokenInfo info;
    try {
      info = token_info(module.functions(deadline), slot);
    } catch (const Error& error) {
      sick = error;
      continue;
    }
    if (!(info.flags & CKF_TOKEN_INITIALIZED)) continue;
    labels.push_back(info.label);
    if ((!label.empty() && info.label != label) || (!serial.empty() && info.serial != serial)) continue;
    if (found) {
      throw Error(ErrorClass::client, "several tokens of " + module.path().string() + " match " +
                                          wanted(label, serial) + "; name the one by its serial");
    }
    found = slot;
  }
  if (!found && sick) throw sick->on(wanted(label, serial));
  if (!found) {
    const std::string message = "PKCS#11 module " + module.path().string() + " has no " +
                                wanted(label, serial) + "; " + present(labels);
    // A module that shows other tokens works; one that shows none may have lost its HSM.
    if (labels.empty()) throw Error(ErrorClass::server, message);
    throw Error(CKR_TOKEN_NOT_PRESENT, message);
  }
  return *found;
}

}  // namespace keystay::pkcs11
