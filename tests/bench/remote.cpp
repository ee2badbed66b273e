#include "tests/bench/remote.h"

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "native/config/configuration.h"
#include "native/keys/key_store.h"
#include "native/keys/tokens.h"
#include "native/x509/openssl_pkix.h"
#include "tests/bench/native_signer.h"
#include "tests/bench/p11_kit_connection.h"
#include "tests/bench/parallel.h"
#include "tests/bench/raw_signer.h"
#include "tests/remote/remote_hsm.h"

namespace keystay::bench {
namespace {

constexpr std::string_view kModule = "module";
constexpr std::string_view kP11Kit = "p11-kit";
constexpr std::string_view kLanes = "keystay, socket";
constexpr std::string_view kMutualTls = "keystay, TLS";

// A token as a process has it that reads this configuration.
class Place final {
 public:
  explicit Place(const std::string& toml)
      : tokens_(config::parse_configuration(toml, "keystay.toml"), config::PinPrompt{}) {}

  [[nodiscard]] keys::KeyStore store() const { return {tokens_.source("web"), pkix_}; }

  [[nodiscard]] Contender contender(std::string_view name) const {
    return {name, [this](const Algorithm& algorithm) {
              return std::make_unique<NativeSigner>(store().find(algorithm.alias).value().key, algorithm);
            }};
  }

 private:
  x509::OpenSslPkix pkix_;
  keys::Tokens tokens_;
};

// A signer on a connection of p11-kit's client that is its own.
class P11KitSigner final : public Signer {
 public:
  P11KitSigner(test::RemoteHsm& hsm, const Algorithm& algorithm)
      : connection_(hsm.file("p11-kit.sock"), hsm.token().pin()),
        signer_({connection_.functions(), connection_.slot()}, algorithm, RawKey::session_copy,
                Hashing::beforehand) {}

  std::size_t sign() override { return signer_.sign(); }

 private:
  P11KitConnection connection_;
  RawSigner signer_;
};

// A signature takes the module this long beyond its own time; zero: SoftHSM's alone.
void measure(std::chrono::milliseconds signing_time) {
  const bool takes_time = signing_time > std::chrono::milliseconds::zero();
  test::RemoteHsm hsm(takes_time ? test::Front::fault_module : test::Front::none);
  const Place module(hsm.token().configuration());
  const Algorithm& p256 = algorithm("P-256");
  module.store().generate(p256.alias, key_spec(p256));
  const Place lanes(hsm.local_configuration("lanes = 32\n"));
  const Place mutual_tls(hsm.configuration("lanes = 32\n"));
  if (takes_time) hsm.token().faults().delay(test::Function::C_Sign, signing_time);

  const RawToken raw = raw_token(hsm.token());
  compare_in_parallel(
      {{kModule,
        [&](const Algorithm& algorithm) {
          return std::make_unique<RawSigner>(raw, algorithm, RawKey::session_copy, Hashing::beforehand);
        }},
       {kP11Kit, [&](const Algorithm& algorithm) { return std::make_unique<P11KitSigner>(hsm, algorithm); }},
       lanes.contender(kLanes),
       mutual_tls.contender(kMutualTls)},
      {.threads = {1, 8, 32}, .peer = kP11Kit});
}

}  // namespace

void measure_remote() {
  setenv("KEYSTAY_BUILD", KEYSTAY_BUILD_DIRECTORY,
         0);                      // where RemoteHsm finds keystay-tlsd and keystay-relay
  std::signal(SIGPIPE, SIG_IGN);  // p11-kit's client writes with it
  for (const auto signing_time : {std::chrono::milliseconds(0), std::chrono::milliseconds(5)}) {
    fmt::print("\nC_Sign takes {} ms more than SoftHSM\n", signing_time.count());
    measure(signing_time);
  }
}

}  // namespace keystay::bench
