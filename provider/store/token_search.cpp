#include "provider/store/token_search.h"

#include <string>
#include <utility>
#include <vector>

#include "native/keys/key_store.h"
#include "native/keys/public_objects.h"
#include "native/x509/openssl_pkix.h"
#include "provider/key/key_lookup.h"
#include "provider/reason.h"

namespace keystay::provider {
namespace {

using pkcs11::TokenInfo;

// One of several tokens, and the result of its search.
struct Asked {
  explicit Asked(keys::Candidate asked) : candidate(std::move(asked)) {}

  keys::Candidate candidate;
  bool shows_object = false;  // without a login: a public key, or a certificate
  bool shows_wanted = false;  // the same of what is wanted, if that is no private key
  std::string failure;        // why it could not be asked; empty if it could
};

class TokenSearch final {
 public:
  TokenSearch(Context& context, const pkcs11::Uri& uri, const Wanted& wanted,
              std::vector<keys::Candidate> candidates)
      : context_(context), uri_(uri), wanted_(wanted), pkix_(context.software().libctx()) {
    for (keys::Candidate& candidate : candidates) asked_.emplace_back(std::move(candidate));
  }

  // Null if none has it.
  [[nodiscard]] std::shared_ptr<keys::KeySource> run() {
    for (Asked& token : asked_) look(token);
    std::vector<const Asked*> holders;
    if (!wanted_.private_key) holders = those([](const Asked& token) { return token.shows_wanted; });
    if (holders.empty()) holders = those([&](Asked& token) { return token.shows_object && has(token); });
    for (const keys::PinSupply supply :
         {keys::PinSupply::none, keys::PinSupply::configured, keys::PinSupply::prompt}) {
      if (!holders.empty()) break;  // nobody else is logged in to, and nobody is asked for a PIN
      holders = those([&](Asked& token) {
        return !token.shows_object && token.candidate.has_own_pin &&
               token.candidate.source->pin_supply() == supply && has(token);
      });
    }
    if (holders.empty()) holders = those([](const Asked& token) { return token.shows_wanted; });
    if (holders.size() > 1) refuse_several(holders);
    return holders.empty() ? nullptr : context_.tokens().choose(holders.front()->candidate);
  }

  [[noreturn]] void refuse_none() const {
    std::string said;
    for (const Asked& token : asked_) {
      said += said.empty() ? "" : "; ";
      said += token.failure.empty() ? token.candidate.source->name() + " has none" : token.failure;
    }
    throw Error(Reason::key_not_found, "the URI names no token, and none of the configured ones has " +
                                           std::string(what()) + named_by(uri_.object, uri_.id) + ": " +
                                           said + "; see what they have with: keystay -list -token NAME");
  }

 private:
  template <typename Is>
  std::vector<const Asked*> those(const Is& is) {
    std::vector<const Asked*> found;
    for (Asked& token : asked_) {
      if (token.failure.empty() && is(token)) found.push_back(&token);
    }
    return found;
  }

  void look(Asked& token) {
    try {
      const auto source = token.candidate.source->without_login();
      const auto objects = keys::read_public_objects(*source, pkix_, uri_.object, uri_.id);
      token.shows_object = !objects.public_keys.empty() || !objects.certificates.empty();
      token.shows_wanted = fit(objects);
    } catch (const pkcs11::Error& error) {
      token.failure = error.what();
    }
  }

  [[nodiscard]] bool fit(const keys::PublicObjects& objects) const {
    return (wanted_.public_key && !objects.public_keys.empty()) ||
           (wanted_.certificates && !objects.certificates.empty());
  }

  // After a login, if the token has a PIN.
  bool has(Asked& token) {
    keys::KeySource& source = *token.candidate.source;
    try {
      keys::KeyStore store(token.candidate.source, pkix_, keys::View::as_shown);
      if (store.find(uri_.object, uri_.id, keys::Parts::key)) return true;
      return !wanted_.private_key && fit(keys::read_public_objects(source, pkix_, uri_.object, uri_.id));
    } catch (const pkcs11::Error& error) {
      // Several, or one that cannot be used: who loads it says so.
      if (error.error_class() == pkcs11::ErrorClass::client) return true;
      token.failure = error.what();
      return false;
    }
  }

  [[noreturn]] static void refuse_several(const std::vector<const Asked*>& holders) {
    std::string names;
    for (const Asked* token : holders) names += (names.empty() ? "" : ", ") + token->candidate.source->name();
    throw Error(Reason::reference, "the URI names no token, and several have an object of that name: " +
                                       names + "; add token= or serial=");
  }

  [[nodiscard]] std::string_view what() const {
    if (wanted_.private_key) return "a private key";
    return wanted_.public_key ? "a public key" : "a certificate";
  }

  Context& context_;
  const pkcs11::Uri& uri_;
  const Wanted& wanted_;
  x509::OpenSslPkix pkix_;
  std::vector<Asked> asked_;
};

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

// `any`, or which of the tokens of its module.
std::shared_ptr<keys::KeySource> source_in_module(Context& context, std::shared_ptr<keys::KeySource> any,
                                                  const pkcs11::Uri& uri) {
  const bool names_key = !uri.object.empty() || !uri.id.empty();
  if (!names_key) return any;
  const std::vector<TokenInfo> tokens = any->candidates();
  if (tokens.size() < 2) return any;
  std::vector<TokenInfo> holders;
  std::string failures;
  for (const TokenInfo& info : tokens) {
    try {
      if (shows(context, *any, info, uri)) holders.push_back(info);
    } catch (const pkcs11::Error& error) {
      failures += std::string("; ") + error.what();
    }
  }
  if (holders.size() != 1) {
    throw Error(
        Reason::reference,
        "the URI names no token, and of " + names_of(tokens) +
            (holders.empty() ? " none shows a public key or a certificate of that name without a login"
                             : " several have an object of that name: " + names_of(holders)) +
            failures + "; add token= or serial=");
  }
  pkcs11::Uri full = uri;
  full.token = holders.front().label;
  full.serial = holders.front().serial;
  return context.tokens().source(full);
}

}  // namespace

std::shared_ptr<keys::KeySource> source_of(Context& context, const pkcs11::Uri& uri, const Wanted& wanted) {
  std::vector<keys::Candidate> candidates = context.tokens().candidates(uri);
  if (candidates.empty()) return source_in_module(context, context.tokens().source(uri), uri);
  TokenSearch search(context, uri, wanted, std::move(candidates));
  if (auto found = search.run()) return found;
  if (auto any = context.tokens().of_whole_module(uri)) return source_in_module(context, any, uri);
  search.refuse_none();
}

}  // namespace keystay::provider
