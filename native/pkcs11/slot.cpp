#include "native/pkcs11/slot.h"

#include <optional>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "native/pkcs11/error.h"
#include "native/pkcs11/module_call.h"
#include "native/pkcs11/padded_field.h"

namespace keystay::pkcs11 {
namespace {

bool is(const TokenInfo& token, const TokenIdentity& wanted) {
  const auto agrees = [](const std::string& shown, const std::string& demanded) {
    return demanded.empty() || shown == demanded;
  };
  return agrees(token.label, wanted.label) && agrees(token.serial, wanted.serial) &&
         agrees(token.manufacturer, wanted.manufacturer) && agrees(token.model, wanted.model);
}

std::string names_of(const std::vector<TokenInfo>& tokens) {
  std::string text;
  for (const TokenInfo& token : tokens) {
    text += text.empty() ? "\"" : ", \"";
    text += token.label + "\" (serial " + token.serial + ")";
  }
  return text;
}

std::string present(const std::vector<TokenInfo>& tokens) {
  return tokens.empty() ? "it shows no token at all" : "it shows " + names_of(tokens);
}

// By which attribute a URI or keystay.toml can name one of them.
std::string how_to_name_one(const std::vector<TokenInfo>& tokens) {
  std::set<std::string_view> labels;
  for (const TokenInfo& token : tokens) labels.insert(token.label);
  return labels.size() == tokens.size()
             ? "name one by its label: token=LABEL in a URI, label = \"LABEL\" in keystay.toml"
             : "name one by its serial: serial=NUMBER in a URI, serial = \"NUMBER\" in keystay.toml";
}

[[noreturn]] void refuse_several(const Module& module, const std::vector<TokenInfo>& tokens,
                                 const TokenIdentity& wanted) {
  const bool any = wanted == TokenIdentity{};
  throw Error(ErrorClass::client,
              module.path().string() + " has several tokens" +
                  (any ? " and nothing says which is meant: " : " that are " + to_string(wanted) + ": ") +
                  names_of(tokens) + "; " + how_to_name_one(tokens));
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
  CK_SLOT_ID found = 0;
  std::vector<TokenInfo> matching;
  std::optional<Error> unanswered;  // a token that does not answer must not hide the others
  std::vector<TokenInfo> others;
  for (const CK_SLOT_ID slot : module.slots_with_token(deadline)) {
    TokenInfo info;
    try {
      info = token_info(module.functions(deadline), slot);
    } catch (const Error& error) {
      unanswered = error;
      continue;
    }
    if (!(info.flags & CKF_TOKEN_INITIALIZED)) continue;
    if (!is(info, wanted)) {
      others.push_back(std::move(info));
      continue;
    }
    matching.push_back(std::move(info));
    found = slot;
  }
  if (matching.size() > 1) refuse_several(module, matching, wanted);
  if (matching.empty() && unanswered) throw unanswered->on(to_string(wanted));
  if (matching.empty()) {
    const std::string message =
        "PKCS#11 module " + module.path().string() + " has no " + to_string(wanted) + "; " + present(others);
    // A module that shows other tokens works; one that shows none may have lost its HSM.
    if (others.empty()) throw Error(ErrorClass::server, message);
    throw Error(CKR_TOKEN_NOT_PRESENT, message);
  }
  return found;
}

TokenInfo find_token(Module& module, const TokenIdentity& wanted, Deadline deadline) {
  CK_FUNCTION_LIST& functions = module.functions(deadline);
  const Module::Use use = module.use();
  return token_info(functions, find_slot(module, wanted, deadline));
}

std::vector<TokenInfo> tokens_of(Module& module, Deadline deadline) {
  CK_FUNCTION_LIST& functions = module.functions(deadline);
  const Module::Use use = module.use();
  std::vector<TokenInfo> tokens;
  for (const CK_SLOT_ID slot : module.slots_with_token(deadline)) {
    try {
      tokens.push_back(token_info(functions, slot));
    } catch (const Error&) {
      continue;
    }
  }
  return tokens;
}

}  // namespace keystay::pkcs11
