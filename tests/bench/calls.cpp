#include "tests/bench/calls.h"

#include <map>
#include <string>

#include <fmt/core.h>

#include "tests/bench/allocation_count.h"
#include "tests/bench/contender.h"

namespace keystay::bench {
namespace {

using test::Function;

constexpr std::uint64_t kSignatures = 1000;
constexpr std::uint64_t kWarmUp = 100;

// RSA's own allocations differ by this from one run to the next (blinding).
constexpr double kNoise = 0.75;

struct Cost {
  std::uint64_t sign_init;
  std::uint64_t sign;
  std::uint64_t other;  // calls of all other functions
  std::uint64_t allocations;
};

Cost cost(BenchToken& token, Signer& signer) {
  for (std::uint64_t i = 0; i < kWarmUp; ++i) signer.sign();
  test::FaultControl& counted = token.faults();
  counted.reset_calls();
  const std::uint64_t allocations = allocations_of_this_thread();
  for (std::uint64_t i = 0; i < kSignatures; ++i) signer.sign();
  const std::uint64_t allocated = allocations_of_this_thread() - allocations;
  const std::uint64_t sign_init = counted.calls(Function::C_SignInit);
  const std::uint64_t sign = counted.calls(Function::C_Sign);
  return {sign_init, sign, counted.calls() - sign_init - sign, allocated};
}

double per_signature(std::uint64_t count) {
  return static_cast<double>(count) / static_cast<double>(kSignatures);
}

bool as_promised(const Cost& cost) {
  return cost.sign_init == kSignatures && cost.sign == kSignatures && cost.other == 0;
}

// Keystay's own contenders; those of a group with the one of its lone token.
const std::map<std::string_view, std::string_view> kOurs{{kNative, {}},
                                                         {kProvider, {}},
                                                         {kProviderTls, {}},
                                                         {kNativeGroup, kNative},
                                                         {kProviderGroup, kProvider},
                                                         {kProviderTlsGroup, kProviderTls}};

// What is wrong with the cost of this contender; empty if nothing is.
std::string broken_promise(std::string_view contender, const std::map<std::string_view, Cost>& costs) {
  const auto ours = kOurs.find(contender);
  if (ours == kOurs.end()) return {};
  const Cost& counted = costs.at(contender);
  if (!as_promised(counted)) return "  not one C_SignInit and one C_Sign";
  if (ours->second.empty()) return {};
  const double lone = per_signature(costs.at(ours->second).allocations);
  return per_signature(counted.allocations) > lone + kNoise ? "  more allocations than a lone token" : "";
}

}  // namespace

bool count_calls(BenchToken& token) {
  fmt::print(
      "\nPer signature, after a warm-up, counted over {} on one thread. Allocations are those of all "
      "libraries,"
      "\nthe module's own included: compare with the raw ones.\n\n{:14} {:16} {:>10} {:>8} {:>12} {:>12}\n",
      kSignatures, "", "", "C_SignInit", "C_Sign", "other calls", "allocations");
  const std::vector<Contender> contenders = all_contenders(token);
  bool kept = true;
  for (const Algorithm& algorithm : algorithms()) {
    std::map<std::string_view, Cost> costs;
    for (const Contender& contender : contenders) {
      const Cost& counted = costs[contender.name] = cost(token, *contender.signer(algorithm));
      const std::string broken = broken_promise(contender.name, costs);
      kept = kept && broken.empty();
      fmt::print("{:14} {:16} {:>10.3f} {:>8.3f} {:>12.3f} {:>12.1f}{}\n", algorithm.name, contender.name,
                 per_signature(counted.sign_init), per_signature(counted.sign), per_signature(counted.other),
                 per_signature(counted.allocations), broken);
    }
  }
  return kept;
}

}  // namespace keystay::bench
