#include "provider/token_search.h"

#include <string>
#include <utility>
#include <vector>

#include "native/pkcs11/error.h"
#include "native/x509/openssl_pkix.h"
#include "provider/public_objects.h"
#include "provider/reason.h"

namespace keystay::provider {
namespace {

using pkcs11::Token;
using pkcs11::TokenInfo;

bool is(const TokenInfo& token, const pkcs11::TokenIdentity& wanted) {
  const auto fits = [](const std::string& value, const std::string& any) {
    return any.empty() || value == any;
  };
  return (token.flags & CKF_TOKEN_INITIALIZED) != 0 && fits(token.manufacturer, wanted.manufacturer) &&
         fits(token.model, wanted.model);
}

// A token that does not answer is none that could be meant.
std::vector<TokenInfo> candidates(Token& token) {
  const auto deadline = token.deadline();
  CK_FUNCTION_LIST& functions = token.module().functions(deadline);
  const pkcs11::Module::Use use = token.module().use();
  std::vector<TokenInfo> found;
  for (const CK_SLOT_ID slot : token.module().slots_with_token(deadline)) {
    try {
      TokenInfo info = pkcs11::token_info(functions, slot);
      if (is(info, token.options().identity)) found.push_back(std::move(info));
    } catch (const pkcs11::Error&) {
      continue;
    }
  }
  return found;
}

bool shows(Context& context, const Token& any, const TokenInfo& info, const pkcs11::Uri& uri) {
  const auto token = without_login(any, {info.label, info.serial});
  const x509::OpenSslPkix pkix(context.software().libctx());
  const PublicObjects objects = read_public_objects(*token, pkix, uri.object, uri.id);
  return !objects.public_keys.empty() || !objects.certificates.empty();
}

std::string names_of(const std::vector<TokenInfo>& tokens) {
  std::string names;
  for (const TokenInfo& token : tokens)
    names.append(names.empty() ? "\"" : ", \"").append(token.label).append("\"");
  return names;
}

}  // namespace

std::shared_ptr<Token> token_of(Context& context, const pkcs11::Uri& uri) {
  std::shared_ptr<Token> any = context.tokens().token(uri);
  const pkcs11::TokenIdentity& identity = any->options().identity;
  const bool names_key = !uri.object.empty() || !uri.id.empty();
  if (!names_key || !identity.label.empty() || !identity.serial.empty()) return any;
  const std::vector<TokenInfo> tokens = candidates(*any);
  if (tokens.size() < 2) return any;
  std::vector<TokenInfo> holders;
  for (const TokenInfo& info : tokens) {
    if (shows(context, *any, info, uri)) holders.push_back(info);
  }
  if (holders.size() != 1) {
    throw Error(
        Reason::reference,
        "the URI names no token, and of " + names_of(tokens) +
            (holders.empty() ? " none shows a public key or a certificate of that name without a login"
                             : " several have an object of that name: " + names_of(holders)) +
            "; add token= or serial=");
  }
  pkcs11::Uri full = uri;
  full.token = holders.front().label;
  full.serial = holders.front().serial;
  return context.tokens().token(full);
}

}  // namespace keystay::provider
