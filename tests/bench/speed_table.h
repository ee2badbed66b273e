// Signatures per second, side by side, with the ratios to the raw module.
#pragma once

#include <array>
#include <compare>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace keystay::bench {

class SpeedTable final {
 public:
  struct Case {
    std::string algorithm;
    int threads;
    std::string contender;
    auto operator<=>(const Case&) const = default;
  };
  struct Repetition {
    double microseconds;      // from signature to signature, of all threads together
    double cpu_microseconds;  // of all threads, for one signature
  };

  void add(const Case& where, const Repetition& repetition) { cases_[where].push_back(repetition); }

  // On standard output, with medians of the repetitions.
  void print() const;

 private:
  struct Median {
    double per_second = 0;  // 0: not measured
    double cpu_microseconds = 0;
  };
  [[nodiscard]] Median median_of(const std::string& algorithm, int threads, std::string_view contender) const;
  // Those of the contenders that took part.
  [[nodiscard]] std::vector<std::string_view> measured(const std::string& algorithm, int threads,
                                                       std::vector<std::string_view> contenders) const;
  void print_row(const std::string& algorithm, int threads, const std::array<std::string_view, 2>& raw,
                 const std::vector<std::string_view>& contenders) const;

  std::map<Case, std::vector<Repetition>> cases_;
};

}  // namespace keystay::bench
