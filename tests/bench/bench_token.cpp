#include "tests/bench/bench_token.h"

#include <cstdlib>
#include <optional>

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

BenchToken::BenchToken(test::Front front) : softhsm_("bench", {.front = front}) {
  const std::filesystem::path file = softhsm_.write_configuration();
  setenv("KEYSTAY_CONF", file.c_str(), 1);
  tokens_ = std::make_unique<keys::Tokens>(config::read_configuration(file), config::PinPrompt{});
  source_ = tokens_->source("");
  keys::KeyStore store(source_, pkix());
  for (const Algorithm& algorithm : algorithms()) {
    if (!store.find(algorithm.alias)) store.generate(algorithm.alias, key_spec(algorithm));
  }
}

BenchToken::~BenchToken() { unsetenv("KEYSTAY_CONF"); }

CK_FUNCTION_LIST& BenchToken::functions() const {
  return pkcs11::Module::at(softhsm_.module())->functions(source_->operations()->deadline());
}

CK_SLOT_ID BenchToken::slot() const {
  return pkcs11::find_slot(*pkcs11::Module::at(softhsm_.module()),
                           {.label = softhsm_.label(), .serial = softhsm_.serial()},
                           source_->operations()->deadline());
}

keys::PrivateKey BenchToken::key(const Algorithm& algorithm) const {
  return keys::KeyStore(source_, pkix()).find(algorithm.alias).value().key;
}

}  // namespace keystay::bench
