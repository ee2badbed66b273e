#include "tests/bench/load.h"

#include <algorithm>
#include <atomic>
#include <functional>
#include <numeric>
#include <random>
#include <thread>

#include <sys/resource.h>

#include "tests/bench/client_loop.h"
#include "tests/bench/statistics.h"

namespace keystay::bench {
namespace {

using std::chrono::duration_cast;
using std::chrono::microseconds;

microseconds cpu_time() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto of = [](const timeval& time) {
    return std::chrono::seconds(time.tv_sec) + microseconds(time.tv_usec);
  };
  return of(usage.ru_utime) + of(usage.ru_stime);
}

// What both kinds of load have.
class Plan : public ClientPlan {
 public:
  explicit Plan(const LoadOptions& options)
      : options_(options), server_(ServerAddress::parse(options.server)), context_(options.tls) {}

  [[nodiscard]] Clock::duration time_limit() const override { return options_.time_limit; }

  [[nodiscard]] LoadResult& result() noexcept { return result_; }

 protected:
  [[nodiscard]] std::unique_ptr<Client> connect() const {
    return std::make_unique<Client>(server_, options_.server_name, context_.get());
  }

 private:
  const LoadOptions& options_;
  ServerAddress server_;
  ClientContext context_;
  LoadResult result_;
};

class CompleteHandshakes final : public Plan {
 public:
  CompleteHandshakes(const LoadOptions& options, Clock::time_point begin, Clock::time_point end)
      : Plan(options), begin_(begin), end_(end) {}

  [[nodiscard]] std::unique_ptr<Client> next() override { return connect(); }
  [[nodiscard]] bool over() const override { return Clock::now() >= end_; }
  std::optional<Clock::duration> advance(Client& client) override {
    client.advance();
    return std::nullopt;
  }
  void expire(Client& client) override {
    client.give_up(client.handshake_time() ? "the server did not close the connection in time"
                                           : "the handshake did not end in time");
  }
  void closed(const Client& client) override {
    const Clock::time_point now = Clock::now();
    if (now < begin_ || now >= end_) return;
    if (!client.failure().empty()) {
      ++result().failures[client.failure()];
    } else {
      result().handshake_times.push_back(duration_cast<microseconds>(*client.handshake_time()));
      result().begins.push_back(client.begin());
    }
  }

 private:
  Clock::time_point begin_;
  Clock::time_point end_;
};

class AbortedHandshakes final : public Plan {
 public:
  // `left` is shared by all threads.
  AbortedHandshakes(const LoadOptions& options, std::atomic<std::uint64_t>& left, microseconds longest_stay)
      : Plan(options), left_(left), stay_(0, longest_stay.count()) {}

  [[nodiscard]] std::unique_ptr<Client> next() override {
    std::uint64_t left = left_.load();
    while (left > 0) {
      if (left_.compare_exchange_weak(left, left - 1)) return connect();
    }
    return nullptr;
  }
  [[nodiscard]] bool over() const override { return false; }
  std::optional<Clock::duration> advance(Client& client) override {
    if (client.said_hello()) return std::nullopt;
    client.say_hello();
    if (!client.said_hello()) return std::nullopt;
    return microseconds(stay_(random_));
  }
  void expire(Client& client) override {
    if (client.said_hello()) {
      client.leave(random_() % 2 == 0 ? Leave::by_fin : Leave::by_reset);
    } else {
      client.give_up("no connection in time");
    }
  }
  void closed(const Client& client) override {
    if (client.failure().empty()) {
      ++result().aborted;
    } else {
      ++result().failures[client.failure()];
    }
  }

 private:
  std::atomic<std::uint64_t>& left_;
  std::minstd_rand random_{std::random_device{}()};
  std::uniform_int_distribution<microseconds::rep> stay_;
};

void merge(LoadResult& into, const LoadResult& part) {
  into.handshake_times.insert(into.handshake_times.end(), part.handshake_times.begin(),
                              part.handshake_times.end());
  into.begins.insert(into.begins.end(), part.begins.begin(), part.begins.end());
  into.aborted += part.aborted;
  for (const auto& [reason, count] : part.failures) into.failures[reason] += count;
}

// A plan and a loop for each thread. Whatever a thread throws, this throws.
LoadResult drive(const LoadOptions& options, const std::function<std::unique_ptr<Plan>()>& make) {
  std::vector<std::unique_ptr<Plan>> plans;
  std::vector<std::exception_ptr> errors(options.threads);
  for (unsigned i = 0; i < options.threads; ++i) plans.push_back(make());
  {
    std::vector<std::jthread> threads;
    for (unsigned i = 0; i < options.threads; ++i) {
      const unsigned clients = (options.clients + i) / options.threads;  // all of them, spread evenly
      threads.emplace_back([&plan = *plans[i], &error = errors[i], clients] {
        try {
          ClientLoop(plan, clients).run();
        } catch (...) {
          error = std::current_exception();
        }
      });
    }
  }
  LoadResult result;
  for (unsigned i = 0; i < options.threads; ++i) {
    if (errors[i]) std::rethrow_exception(errors[i]);
    merge(result, plans[i]->result());
  }
  return result;
}

}  // namespace

std::uint64_t LoadResult::failed() const {
  return std::accumulate(failures.begin(), failures.end(), std::uint64_t{0},
                         [](std::uint64_t sum, const auto& failure) { return sum + failure.second; });
}

double LoadResult::per_second() const {
  return static_cast<double>(handshake_times.size()) / elapsed.count();
}

microseconds LoadResult::quantile(double fraction) const {
  return bench::quantile(std::span<const microseconds>(handshake_times), fraction);
}

LoadResult complete_handshakes(const LoadOptions& options, std::chrono::milliseconds warm_up,
                               std::chrono::milliseconds duration) {
  const Clock::time_point begin = Clock::now() + warm_up;
  const microseconds cpu = cpu_time();
  LoadResult result =
      drive(options, [&] { return std::make_unique<CompleteHandshakes>(options, begin, begin + duration); });
  result.elapsed = duration;
  // The warm-up's share is the same as that of the rest.
  result.cpu = duration_cast<microseconds>((cpu_time() - cpu) * duration.count() /
                                           std::max<std::int64_t>((warm_up + duration).count(), 1));
  return result;
}

LoadResult abort_handshakes(const LoadOptions& options, std::uint64_t count, microseconds longest_stay) {
  std::atomic<std::uint64_t> left = count;
  const Clock::time_point begin = Clock::now();
  const microseconds cpu = cpu_time();
  LoadResult result =
      drive(options, [&] { return std::make_unique<AbortedHandshakes>(options, left, longest_stay); });
  result.elapsed = Clock::now() - begin;
  result.cpu = cpu_time() - cpu;
  return result;
}

}  // namespace keystay::bench
