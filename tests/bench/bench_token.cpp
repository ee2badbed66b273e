#include "tests/bench/bench_token.h"

#include <cstdlib>
#include <optional>

#include "native/ha/key_sources.h"
#include "native/keys/key_store.h"
#include "native/pkcs11/slot.h"
#include "native/x509/openssl_pkix.h"

namespace keystay::bench {
namespace {

const x509::OpenSslPkix& pkix() {
  static const x509::OpenSslPkix instance;
  return instance;
}

}  // namespace

RawToken raw_token(const test::SoftHsmToken& token) {
  const pkcs11::Deadline deadline = std::chrono::steady_clock::now() + std::chrono::seconds(5);
  pkcs11::Module& module = *pkcs11::Module::at(token.module());
  return {module.functions(deadline),
          pkcs11::find_slot(module, {.label = token.label(), .serial = token.serial()}, deadline)};
}

BenchToken::BenchToken(test::Front front) : softhsm_("bench", {.front = front}) {
  // Calls that come by the clock are not to fall among those that are counted.
  const std::filesystem::path file =
      softhsm_.write_configuration("key-check = \"1h\"\n\n[group." + std::string(kGroupOfOne) +
                                   "]\nmembers = [\"web\"]\ncheck = \"1h\"\n");
  setenv("KEYSTAY_CONF", file.c_str(), 1);
  tokens_ = ha::key_sources(config::read_configuration(file), config::PinPrompt{});
  source_ = tokens_->source("");
  keys::KeyStore store(source_, pkix());
  for (const Algorithm& algorithm : algorithms()) {
    if (!store.find(algorithm.alias)) store.generate(algorithm.alias, key_spec(algorithm));
  }
}

BenchToken::~BenchToken() { unsetenv("KEYSTAY_CONF"); }

keys::PrivateKey BenchToken::key(const Algorithm& algorithm) const {
  return keys::KeyStore(source_, pkix()).find(algorithm.alias).value().key;
}

keys::PrivateKey BenchToken::key_of_group(const Algorithm& algorithm) const {
  return keys::KeyStore(tokens_->source(kGroupOfOne), pkix()).find(algorithm.alias).value().key;
}

}  // namespace keystay::bench
