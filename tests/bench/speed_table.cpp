#include "tests/bench/speed_table.h"

#include <algorithm>
#include <array>
#include <set>

#include <fmt/core.h>

#include "tests/bench/contender.h"
#include "tests/bench/statistics.h"

namespace keystay::bench {
namespace {

constexpr double kMicrosecondsPerSecond = 1e6;

// Like is compared with like: contenders that do the same work.
struct Race {
  std::string_view what;
  std::array<std::string_view, 2> raw;  // the yardstick is the better of the two
  std::vector<std::string_view> contenders;
};

const std::vector<Race>& races() {
  static const std::vector<Race> all{
      {"signatures of a digest", {kRawObject, kRawCopy}, {kNative}},
      {"signatures of a message, SHA-256 included",
       {kHashRawObject, kHashRawCopy},
       {kProvider, kProviderTls, kEngine, kPkcs11Provider, kPkcs11ProviderTls}},
  };
  return all;
}

}  // namespace

SpeedTable::Median SpeedTable::median_of(const std::string& algorithm, int threads,
                                         std::string_view contender) const {
  const auto found = cases_.find({algorithm, threads, std::string(contender)});
  if (found == cases_.end()) return {};
  std::vector<double> rates;
  std::vector<double> costs;
  for (const Repetition& repetition : found->second) {
    rates.push_back(kMicrosecondsPerSecond / repetition.microseconds);
    costs.push_back(repetition.cpu_microseconds);
  }
  return {median(rates), median(costs)};
}

std::vector<std::string_view> SpeedTable::measured(const std::string& algorithm, int threads,
                                                   std::vector<std::string_view> contenders) const {
  std::erase_if(contenders, [&](std::string_view contender) {
    return !cases_.contains({algorithm, threads, std::string(contender)});
  });
  return contenders;
}

void SpeedTable::print() const {
  std::map<std::string, std::set<int>> threads;
  std::size_t repetitions = 0;
  for (const auto& [where, repeated] : cases_) {
    threads[where.algorithm].insert(where.threads);
    repetitions = std::max(repetitions, repeated.size());
  }
  fmt::print(
      "\nPer second, medians of {} repetitions. raw: C_SignInit and C_Sign on the token object, and on a copy"
      "\nof the key per session. ratio: to the better of the two. cpu: microseconds of processor time for one"
      "\nsignature beyond it.\n",
      repetitions);
  for (const auto& [algorithm, counts] : threads) {
    for (const Race& race : races()) {
      fmt::print("\n{}, {}\n{:>7} {:>16} {:>16}", algorithm, race.what, "threads", race.raw[0], race.raw[1]);
      const std::vector<std::string_view> present = measured(algorithm, *counts.begin(), race.contenders);
      for (const std::string_view contender : present) {
        fmt::print(" | {:>13} {:>6} {:>6}", contender, "ratio", "cpu");
      }
      fmt::print("\n");
      for (const int count : counts) print_row(algorithm, count, race.raw, present);
    }
    if (const Median init = median_of(algorithm, 1, kSoftwareInit); init.per_second > 0) {
      fmt::print("Of {}'s cpu, libcrypto takes {:.1f} to begin a signature in a new context, with any key.\n",
                 kProviderTls, init.cpu_microseconds);
    }
  }
}

void SpeedTable::print_row(const std::string& algorithm, int threads,
                           const std::array<std::string_view, 2>& raw,
                           const std::vector<std::string_view>& contenders) const {
  const Median object = median_of(algorithm, threads, raw[0]);
  const Median copy = median_of(algorithm, threads, raw[1]);
  const Median& yardstick = copy.per_second > object.per_second ? copy : object;
  fmt::print("{:>7} {:>16.0f} {:>16.0f}", threads, object.per_second, copy.per_second);
  for (const std::string_view contender : contenders) {
    const Median result = median_of(algorithm, threads, contender);
    if (result.per_second > 0 && yardstick.per_second > 0) {
      fmt::print(" | {:>13.0f} {:>6.3f} {:>+6.1f}", result.per_second,
                 result.per_second / yardstick.per_second,
                 result.cpu_microseconds - yardstick.cpu_microseconds);
    } else {
      fmt::print(" | {:>13.0f} {:>6} {:>6}", result.per_second, "-", "-");
    }
  }
  fmt::print("\n");
}

}  // namespace keystay::bench
