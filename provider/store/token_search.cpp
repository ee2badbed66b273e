#include "provider/store/token_search.h"

#include <string>
#include <utility>
#include <vector>

#include "native/keys/public_objects.h"
#include "native/x509/openssl_pkix.h"
#include "provider/reason.h"

namespace keystay::provider {
namespace {

using pkcs11::TokenInfo;

bool shows(Context& context, keys::KeySource& any, const TokenInfo& info, const pkcs11::Uri& uri) {
  const auto source = any.without_login({info.label, info.serial});
  const x509::OpenSslPkix pkix(context.software().libctx());
  const keys::PublicObjects objects = keys::read_public_objects(*source, pkix, uri.object, uri.id);
  return !objects.public_keys.empty() || !objects.certificates.empty();
}

std::string names_of(const std::vector<TokenInfo>& tokens) {
  std::string names;
  for (const TokenInfo& token : tokens)
    names.append(names.empty() ? "\"" : ", \"").append(token.label).append("\"");
  return names;
}

}  // namespace

std::shared_ptr<keys::KeySource> source_of(Context& context, const pkcs11::Uri& uri) {
  std::shared_ptr<keys::KeySource> any = context.tokens().source(uri);
  const bool names_key = !uri.object.empty() || !uri.id.empty();
  if (!names_key) return any;
  const std::vector<TokenInfo> tokens = any->candidates();
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
  return context.tokens().source(full);
}

}  // namespace keystay::provider
