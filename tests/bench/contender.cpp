#include "tests/bench/contender.h"

#include <algorithm>
#include <stdexcept>

#include <fmt/core.h>

#include "tests/bench/engine_keys.h"
#include "tests/bench/evp_init.h"
#include "tests/bench/evp_signer.h"
#include "tests/bench/native_signer.h"
#include "tests/bench/provider_keys.h"
#include "tests/bench/raw_signer.h"

namespace keystay::bench {
namespace {

Contender raw(std::string_view name, const BenchToken& token, RawKey key, Hashing hashing) {
  return {name, [&token, key, hashing](const Algorithm& algorithm) {
            return std::make_unique<RawSigner>(token.raw(), algorithm, key, hashing);
          }};
}

Contender native(const BenchToken& token) {
  return {kNative, [&token](const Algorithm& algorithm) {
            return std::make_unique<NativeSigner>(token.key(algorithm), algorithm);
          }};
}

Contender native_group(const BenchToken& token) {
  return {kNativeGroup, [&token](const Algorithm& algorithm) {
            return std::make_unique<NativeSigner>(token.key_of_group(algorithm), algorithm);
          }};
}

Contender provider(std::string_view name, std::shared_ptr<const ProviderKeys> keys, SigningContext context) {
  return {name, [keys, context](const Algorithm& algorithm) {
            return std::make_unique<EvpSigner>(keys->libctx(), keys->key(algorithm), algorithm, context);
          }};
}

// Peers are not installed everywhere.
void add_peer(std::string_view name, const std::function<void()>& add) {
  try {
    add();
  } catch (const std::runtime_error& error) {
    fmt::print(stderr, "{} is left out: {}\n", name, error.what());
  }
}

Contender engine(const BenchToken& token) {
  auto keys = std::make_shared<const EngineKeys>(token.softhsm());
  return {kEngine, [keys](const Algorithm& algorithm) {
            return std::make_unique<EvpSigner>(nullptr, keys->key(algorithm), algorithm,
                                               SigningContext::reused);
          }};
}

}  // namespace

std::vector<Contender> contenders(const BenchToken& token) {
  std::vector<Contender> all;
  all.push_back(raw(kRawObject, token, RawKey::token_object, Hashing::beforehand));
  all.push_back(raw(kRawCopy, token, RawKey::session_copy, Hashing::beforehand));
  all.push_back(native(token));
  all.push_back(raw(kHashRawObject, token, RawKey::token_object, Hashing::each_time));
  all.push_back(raw(kHashRawCopy, token, RawKey::session_copy, Hashing::each_time));
  const auto keys = std::make_shared<const ProviderKeys>(keystay_module());
  all.push_back(provider(kProvider, keys, SigningContext::reused));
  all.push_back(provider(kProviderTls, keys, SigningContext::emptied));
  all.push_back(
      {kSoftwareInit, [](const Algorithm& algorithm) { return std::make_unique<EvpInit>(algorithm); }});
  add_peer(kEngine, [&] { all.push_back(engine(token)); });
  add_peer(kPkcs11Provider, [&] {
    const auto peer = std::make_shared<const ProviderKeys>(pkcs11_provider_module(token.softhsm()));
    all.push_back(provider(kPkcs11Provider, peer, SigningContext::reused));
    all.push_back(provider(kPkcs11ProviderTls, peer, SigningContext::emptied));
  });
  return all;
}

std::vector<GroupPair> group_pairs(const BenchToken& token) {
  const auto lone = std::make_shared<const ProviderKeys>(keystay_module());
  const auto group = std::make_shared<const ProviderKeys>(keystay_module(kGroupOfOne));
  return {{native(token), native_group(token)},
          {provider(kProvider, lone, SigningContext::reused),
           provider(kProviderGroup, group, SigningContext::reused)},
          {provider(kProviderTls, lone, SigningContext::emptied),
           provider(kProviderTlsGroup, group, SigningContext::emptied)}};
}

std::vector<Contender> all_contenders(const BenchToken& token) {
  std::vector<Contender> all = contenders(token);
  for (GroupPair& pair : group_pairs(token)) all.push_back(std::move(pair.group));
  return all;
}

const Contender& contender(const std::vector<Contender>& all, std::string_view name) {
  const auto found = std::find_if(all.begin(), all.end(),
                                  [&](const Contender& candidate) { return candidate.name == name; });
  if (found != all.end()) return *found;
  std::string names;
  for (const Contender& known : all) names += " " + std::string(known.name);
  throw std::invalid_argument("no contender " + std::string(name) + "; there are:" + names);
}

}  // namespace keystay::bench
