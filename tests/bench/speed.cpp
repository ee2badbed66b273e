#include "tests/bench/speed.h"

#include <array>

#include <benchmark/benchmark.h>
#include <fmt/core.h>

#include "tests/bench/speed_table.h"

namespace keystay::bench {
namespace {

constexpr std::array kThreads{1, 2, 4, 8, 16};
constexpr std::array kUsualArguments{"keystay-bench", "--benchmark_repetitions=15",
                                     "--benchmark_enable_random_interleaving=true"};

// Of a repetition, in seconds: long beside the moments at its ends in which only some of the threads run.
constexpr double kMinTime = 0.2;

// What each thread of a benchmark does.
void sign(benchmark::State& state, const Contender& contender, const Algorithm& algorithm) {
  try {
    const std::unique_ptr<Signer> signer = contender.signer(algorithm);
    signer->sign();  // sessions are opened and keys found before the clock runs
    for ([[maybe_unused]] auto _ : state) benchmark::DoNotOptimize(signer->sign());
  } catch (const std::exception& error) {
    state.SkipWithError(error.what());
  }
}

// Empty if it ran. An error is a skipped run from Google Benchmark 1.8 on.
template <typename Run>
std::string error_of(const Run& run) {
  if constexpr (requires { run.error_occurred; }) {
    return run.error_occurred ? run.error_message : std::string();
  } else {
    return run.skipped ? run.skip_message : std::string();
  }
}

// Shows what Google Benchmark shows, and keeps the numbers for the table.
class KeepingReporter final : public benchmark::ConsoleReporter {
 public:
  explicit KeepingReporter(SpeedTable& table) : ConsoleReporter(OO_None), table_(table) {}

  void ReportRuns(const std::vector<Run>& runs) override {
    for (const Run& run : runs) {
      if (const std::string error = error_of(run); !error.empty())
        throw std::runtime_error(run.benchmark_name() + ": " + error);
      if (run.run_type == Run::RT_Iteration) keep(run);
    }
    ConsoleReporter::ReportRuns(runs);
  }

 private:
  void keep(const Run& run) {
    const std::string& name = run.run_name.function_name;  // algorithm/contender
    const std::size_t slash = name.find('/');
    table_.add({name.substr(0, slash), static_cast<int>(run.threads), name.substr(slash + 1)},
               {microseconds(run, run.GetAdjustedRealTime()), microseconds(run, run.GetAdjustedCPUTime())});
  }

  // Of all threads together: from version 1.9 on Google Benchmark adds up the times of its threads.
  static double microseconds(const Run& run, double time) {
    const auto share = static_cast<double>(KEYSTAY_BENCHMARK_ADDS_THREADS_UP ? run.threads : 1);
    return 1e6 * time / benchmark::GetTimeUnitMultiplier(run.time_unit) / share;
  }

  SpeedTable& table_;
};

void register_benchmarks(const std::vector<Contender>& contenders) {
  for (const Algorithm& algorithm : algorithms()) {
    for (const Contender& contender : contenders) {
      auto* registered =
          benchmark::RegisterBenchmark(fmt::format("{}/{}", algorithm.name, contender.name).c_str(),
                                       [&](benchmark::State& state) { sign(state, contender, algorithm); });
      for (const int threads : kThreads) registered->Threads(threads);
      // What all threads sign together in a second, and the processor time of all threads for it.
      registered->MinTime(kMinTime)->UseRealTime()->MeasureProcessCPUTime()->Unit(benchmark::kMicrosecond);
    }
  }
}

}  // namespace

void run_speed(const std::vector<Contender>& contenders, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), kUsualArguments.begin(), kUsualArguments.end());
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  int argc = static_cast<int>(argv.size());
  benchmark::Initialize(&argc, argv.data());
  if (benchmark::ReportUnrecognizedArguments(argc, argv.data())) {
    throw std::invalid_argument("unknown option; keystay-bench speed --help lists them");
  }
  register_benchmarks(contenders);
  SpeedTable table;
  KeepingReporter reporter(table);
  benchmark::RunSpecifiedBenchmarks(&reporter);
  benchmark::Shutdown();
  table.print();
}

}  // namespace keystay::bench
