#include "tests/bench/two_members.h"

#include <array>
#include <memory>
#include <string>

#include "native/ha/key_sources.h"
#include "native/keys/key_store.h"
#include "native/keys/wrapping.h"
#include "native/x509/openssl_pkix.h"
#include "tests/bench/native_signer.h"
#include "tests/bench/parallel.h"
#include "tests/support/fault_control.h"
#include "tests/support/softhsm_token.h"

namespace keystay::bench {
namespace {

using namespace std::chrono_literals;

constexpr auto kDelay = 5ms;
constexpr std::array kNames{"hsm-a", "hsm-b"};

// Two tokens that take their time apart from one another, with one key on both.
class TwoTokens final {
 public:
  TwoTokens() : softhsm_(kNames[0]) {
    softhsm_.add_token(kNames[1]);
    std::string text;
    for (std::size_t i = 0; i < kNames.size(); ++i) {
      faults_[i] = test::FaultControl::of_copy(softhsm_.directory().path() / (std::string(kNames[i]) + ".so"),
                                               test::SoftHsmToken::softhsm());
      text += "[token." + std::string(kNames[i]) + "]\nmodule = \"" + faults_[i]->loaded_as().string() +
              "\"\nlabel = \"" + kNames[i] +
              "\"\nsessions = 8\npin = \"file:" + softhsm_.pin_file().string() + "\"\n";
    }
    text +=
        "[group.both]\nmembers = [\"hsm-a\", \"hsm-b\"]\nwrapping-key = \"kek\"\n"
        "[group.one]\nmembers = [\"hsm-a\"]\n";
    tokens_ = ha::key_sources(config::parse_configuration(text, "keystay.toml"), config::PinPrompt{});
    make_key();
    for (const auto& faults : faults_) faults->delay(test::Function::C_Sign, kDelay);
  }

  // Through this token or group.
  [[nodiscard]] Contender contender(std::string_view name, const std::string& through) const {
    return {name, [this, through](const Algorithm& algorithm) {
              return std::make_unique<NativeSigner>(
                  keys::KeyStore(tokens_->source(through), pkix_).find(algorithm.alias).value().key,
                  algorithm);
            }};
  }

 private:
  void make_key() const {
    const std::shared_ptr<keys::KeySource> both = tokens_->source("both");
    keys::share_wrapping_key(both->replication().value().replicas, "kek");
    const Algorithm& p256 = algorithm("P-256");
    keys::KeyStore(both, pkix_).generate(p256.alias, key_spec(p256));
  }

  test::SoftHsmToken softhsm_;
  std::array<std::unique_ptr<test::FaultControl>, kNames.size()> faults_;
  x509::OpenSslPkix pkix_;
  std::unique_ptr<keys::Tokens> tokens_;
};

}  // namespace

void measure_two_members() {
  const TwoTokens tokens;
  constexpr std::string_view kOne = "one member";
  compare_in_parallel({tokens.contender(kOne, "hsm-a"), tokens.contender("group of one", "one"),
                       tokens.contender("group of two", "both")},
                      {.threads = {8, 16, 32}, .peer = kOne});
}

}  // namespace keystay::bench
