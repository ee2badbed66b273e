#include "tests/bench/parallel.h"

#include <algorithm>
#include <exception>
#include <latch>
#include <memory>
#include <random>
#include <string>
#include <thread>

#include <fmt/core.h>

#include "tests/bench/statistics.h"

namespace keystay::bench {
namespace {

using Clock = std::chrono::steady_clock;
using Microseconds = std::chrono::duration<double, std::micro>;

// One signer for each thread.
using Signers = std::vector<std::unique_ptr<Signer>>;

struct Turn {
  double per_second;
  double median;  // of one signature, in microseconds
  double p99;
};

// Signs until then, and returns how long each took, in microseconds.
std::vector<double> sign_until(Signer& signer, Clock::time_point end) {
  std::vector<double> times;
  for (Clock::time_point begin = Clock::now(); begin < end;) {
    signer.sign();
    const Clock::time_point now = Clock::now();
    times.push_back(Microseconds(now - begin).count());
    begin = now;
  }
  return times;
}

Turn take_turn(const Signers& signers, std::chrono::milliseconds duration) {
  std::vector<std::vector<double>> times(signers.size());
  std::vector<std::exception_ptr> errors(signers.size());
  std::latch all_there(static_cast<std::ptrdiff_t>(signers.size()));
  const Clock::time_point begin = Clock::now();
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < signers.size(); ++i) {
      threads.emplace_back([&, i] {
        all_there.arrive_and_wait();
        try {
          times[i] = sign_until(*signers[i], begin + duration);
        } catch (...) {
          errors[i] = std::current_exception();
        }
      });
    }
  }
  const std::chrono::duration<double> elapsed = Clock::now() - begin;
  std::vector<double> all;
  for (std::size_t i = 0; i < signers.size(); ++i) {
    if (errors[i]) std::rethrow_exception(errors[i]);
    all.insert(all.end(), times[i].begin(), times[i].end());
  }
  const std::span<const double> view(all);
  return {static_cast<double>(all.size()) / elapsed.count(), quantile(view, 0.5), quantile(view, 0.99)};
}

// The medians of several turns, number by number.
Turn medians(const std::vector<Turn>& turns) {
  const auto of = [&](double Turn::*number) {
    std::vector<double> values;
    for (const Turn& turn : turns) values.push_back(turn.*number);
    return median(values);
  };
  return {of(&Turn::per_second), of(&Turn::median), of(&Turn::p99)};
}

std::vector<Turn> race(const std::vector<Contender>& contenders, unsigned threads,
                       const ParallelOptions& options) {
  std::vector<Signers> signers;
  for (const Contender& contender : contenders) {
    signers.emplace_back();
    for (unsigned i = 0; i < threads; ++i) signers.back().push_back(contender.signer(algorithm("P-256")));
    take_turn(signers.back(), options.turn);  // sessions and connections are opened before the clock runs
  }
  std::vector<std::vector<Turn>> turns(contenders.size());
  std::vector<std::size_t> order(contenders.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::minstd_rand random{std::random_device{}()};
  for (unsigned turn = 0; turn < options.turns; ++turn) {
    std::shuffle(order.begin(), order.end(), random);
    for (const std::size_t i : order) turns[i].push_back(take_turn(signers[i], options.turn));
  }
  std::vector<Turn> results;
  for (const std::vector<Turn>& of_one : turns) results.push_back(medians(of_one));
  return results;
}

}  // namespace

void compare_in_parallel(const std::vector<Contender>& contenders, const ParallelOptions& options) {
  const std::string beside = "beside " + std::string(options.peer);
  fmt::print(
      "\nP-256; medians of {} turns of {} ms in random order\n\n{:>7}  {:16} {:>12} {:>11} {:>11}   {}\n",
      options.turns, options.turn.count(), "threads", "", "signatures/s", "median us", "p99 us", beside);
  const auto peer = static_cast<std::size_t>(&contender(contenders, options.peer) - contenders.data());
  for (const unsigned threads : options.threads) {
    const std::vector<Turn> results = race(contenders, threads, options);
    for (std::size_t i = 0; i < results.size(); ++i) {
      fmt::print("{:>7}  {:16} {:>12.0f} {:>11.1f} {:>11.1f}   {:.2f} times, {:+.1f} us\n", threads,
                 contenders[i].name, results[i].per_second, results[i].median, results[i].p99,
                 results[i].per_second / results[peer].per_second, results[i].median - results[peer].median);
    }
  }
}

}  // namespace keystay::bench
