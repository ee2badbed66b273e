#include "tests/bench/group_of_one.h"

#include <chrono>
#include <ctime>
#include <memory>
#include <random>
#include <thread>
#include <vector>

#include <fmt/core.h>

#include "tests/bench/contender.h"
#include "tests/bench/statistics.h"

namespace keystay::bench {
namespace {

constexpr unsigned kTurnSignatures = 200;  // of each thread in a turn
constexpr unsigned kManyThreads = 8;

// One signer for each thread, which have signed before.
using Signers = std::vector<std::unique_ptr<Signer>>;

Signers signers(const Contender& contender, const Algorithm& algorithm, unsigned threads) {
  Signers made;
  for (unsigned i = 0; i < threads; ++i) {
    made.push_back(contender.signer(algorithm));
    made.back()->sign();
  }
  return made;
}

double process_microseconds() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_nsec) / 1e3;
}

// Of one signature, in microseconds of processor time.
double turn(const Signers& signers) {
  const auto sign = [](Signer& signer) {
    for (unsigned i = 0; i < kTurnSignatures; ++i) signer.sign();
  };
  const double begin = process_microseconds();
  if (signers.size() == 1) {
    sign(*signers.front());
  } else {
    std::vector<std::jthread> threads;
    for (const auto& signer : signers) threads.emplace_back([&] { sign(*signer); });
  }
  return (process_microseconds() - begin) / (kTurnSignatures * static_cast<double>(signers.size()));
}

void compare(const GroupPair& pair, unsigned threads, unsigned turns) {
  const Algorithm& p256 = algorithm("P-256");
  const Signers lone = signers(pair.lone, p256, threads);
  const Signers group = signers(pair.group, p256, threads);
  std::minstd_rand random{std::random_device{}()};
  std::vector<double> of_lone;
  std::vector<double> of_group;
  std::vector<double> differences;
  for (unsigned i = 0; i < turns; ++i) {
    const bool lone_first = random() % 2 == 0;
    if (lone_first) of_lone.push_back(turn(lone));
    of_group.push_back(turn(group));
    if (!lone_first) of_lone.push_back(turn(lone));
    differences.push_back(of_group.back() - of_lone.back());
  }
  const std::span<const double> all(differences);
  fmt::print("{:16} {:>7} {:>10.2f} {:>10.2f} {:>+12.2f} {:>+10.2f} to {:+.2f}\n", pair.group.name, threads,
             median(of_lone), median(of_group), median(differences), quantile(all, 0.25),
             quantile(all, 0.75));
}

}  // namespace

void measure_group_of_one(const BenchToken& token) {
  fmt::print(
      "\nProcessor time of a P-256 signature in microseconds, medians of turns of {} signatures in random "
      "order\n\n{:16} {:>7} {:>10} {:>10} {:>12} {:>18}\n",
      kTurnSignatures, "", "threads", "lone token", "group", "difference", "half are from");
  for (const GroupPair& pair : group_pairs(token)) compare(pair, 1, 400);
  for (const GroupPair& pair : group_pairs(token)) compare(pair, kManyThreads, 100);
}

}  // namespace keystay::bench
