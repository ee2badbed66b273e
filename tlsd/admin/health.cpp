#include "tlsd/admin/health.h"

#include <algorithm>
#include <exception>
#include <iterator>
#include <utility>

#include <boost/asio/post.hpp>
#include <fmt/format.h>

#include "tlsd/time_limit.h"
#include "tlsd/tls/test_signature.h"

namespace keystay::tlsd {

Health::Health(Executor executor, OSSL_LIB_CTX* library) : executor_(executor), library_(library) {}

void Health::use(const Certificates& certificates, const std::vector<MissingCertificate>& missing) {
  missing_.clear();
  for (const MissingCertificate& certificate : missing) missing_ += certificate.reason + "\n";
  on_token_.clear();
  std::ranges::copy_if(certificates, std::back_inserter(on_token_),
                       [](const auto& certificate) { return certificate->on_token(); });
  reported_ = {};
}

awaitable<std::string> Health::check() {
  if (!missing_.empty()) co_return missing_;
  if (on_token_.empty()) co_return std::string();
  if (!probing_ && Clock::now() - reported_ < kFresh) co_return report_;
  if (!probing_) start_probe();
  if (Clock::now() - probe_began_ >= kLimit) co_return overdue();

  const auto wait = std::make_shared<AsyncWait>(executor_);
  waiting_.push_back(wait);
  const TimeLimit limit(executor_, kLimit, [&wait] { wait->notify(); });
  co_await wait->wait();
  std::erase(waiting_, wait);
  co_return limit.expired() ? overdue() : report_;
}

void Health::start_probe() {
  probing_ = true;
  probe_began_ = Clock::now();
  blocking_thread_.post([this, certificates = on_token_] {
    asio::post(executor_,
               [this, report = probe(certificates)]() mutable { finish_probe(std::move(report)); });
  });
}

void Health::finish_probe(std::string report) {
  probing_ = false;
  report_ = std::move(report);
  reported_ = Clock::now();
  for (const auto& wait : std::exchange(waiting_, {})) wait->notify();
}

std::string Health::probe(const Certificates& certificates) {
  std::string report;
  for (const auto& certificate : certificates) {
    {
      const std::scoped_lock lock(mutex_);
      probed_ = certificate->name;
    }
    try {
      make_test_signature(library_, *certificate);
    } catch (const std::exception& error) {
      report += fmt::format("{}\n", error.what());
    }
  }
  return report;
}

std::string Health::overdue() {
  const std::scoped_lock lock(mutex_);
  return fmt::format("certificate \"{}\": the key has not signed within {} s\n", probed_, kLimit.count());
}

}  // namespace keystay::tlsd
