// Engines are deprecated since OpenSSL 3.0, and so is every function that loads one.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "tests/bench/engine_keys.h"

#include <stdexcept>

#include <openssl/engine.h>

#include "tests/bench/openssl_error.h"

namespace keystay::bench {
#ifdef OPENSSL_NO_ENGINE

EngineKeys::EngineKeys(const test::SoftHsmToken&) { throw std::runtime_error("this OpenSSL has no engines"); }

#else

EngineKeys::EngineKeys(const test::SoftHsmToken& token) {
  ENGINE_load_builtin_engines();
  // Never released: its last reference would finalise the module, which others here use.
  ENGINE* engine = ENGINE_by_id("pkcs11");
  require(engine != nullptr, "ENGINE_by_id(\"pkcs11\")");
  require(ENGINE_ctrl_cmd_string(engine, "MODULE_PATH", token.module().c_str(), 0) == 1, "MODULE_PATH");
  require(ENGINE_ctrl_cmd_string(engine, "PIN", token.pin().c_str(), 0) == 1, "PIN");
  require(ENGINE_init(engine) == 1, "ENGINE_init");
  for (const Algorithm& algorithm : algorithms()) {
    if (keys_.contains(algorithm.alias)) continue;
    const std::string uri =
        "pkcs11:token=" + token.label() + ";object=" + std::string(algorithm.alias) + ";type=private";
    OpenSslPointer<EVP_PKEY> key(ENGINE_load_private_key(engine, uri.c_str(), nullptr, nullptr));
    require(key != nullptr, "ENGINE_load_private_key");
    keys_.emplace(algorithm.alias, std::move(key));
  }
}

#endif
}  // namespace keystay::bench
