#include "tlsd/certificate_watch.h"

#include <exception>
#include <utility>

#include <boost/asio/post.hpp>
#include <spdlog/spdlog.h>

namespace keystay::tlsd {
namespace {

prometheus::Counter& checks(prometheus::Registry& registry, const char* result) {
  return prometheus::BuildCounter()
      .Name("keystay_tlsd_certificate_checks_total")
      .Help("Looks for renewed certificates on tokens, by result")
      .Register(registry)
      .Add({{"result", result}});
}

}  // namespace

CertificateWatch::CertificateWatch(Executor control, BlockingThread& thread, const LibraryContext& library,
                                   Renewed renewed)
    : control_(control),
      thread_(thread),
      library_(library),
      renewed_(std::move(renewed)),
      pause_(control),
      succeeded_(checks(registry_, "succeeded")),
      failed_(checks(registry_, "failed")),
      renewals_(prometheus::BuildCounter()
                    .Name("keystay_tlsd_certificates_renewed_total")
                    .Help("Certificates that were renewed on their tokens and are served since")
                    .Register(registry_)
                    .Add({})) {}

void CertificateWatch::use(std::shared_ptr<const Snapshot> snapshot, std::chrono::milliseconds interval) {
  snapshot_ = std::move(snapshot);
  interval_ = interval;
  look_again();
}

void CertificateWatch::stop() {
  stopped_ = true;
  pause_.cancel();
}

void CertificateWatch::look_again() {
  pause_.cancel();
  if (stopped_ || interval_ == std::chrono::milliseconds::zero()) return;
  pause_.expires_after(interval_);
  pause_.async_wait([this](error_code error) {
    if (!error) look();
  });
}

void CertificateWatch::look() {
  if (std::exchange(looking_, true)) return;
  // The executor by value: at the end of the process this object may go before the thread.
  thread_.post([this, control = control_, &library = library_, before = snapshot_] {
    Renewal renewal;
    try {
      renewal = build_renewed_snapshot(library, *before);
    } catch (const std::exception& error) {
      renewal.failures.push_back({"", error.what()});
    }
    asio::post(control, [this, before, renewal] { end(before, renewal); });
  });
}

// What a reload has replaced in the meantime is looked at again in its turn.
void CertificateWatch::end(const std::shared_ptr<const Snapshot>& before, const Renewal& renewal) {
  looking_ = false;
  (renewal.failures.empty() ? succeeded_ : failed_).Increment();
  std::set<std::string> failures;
  for (const MissingCertificate& failure : renewal.failures) {
    if (!failures_.contains(failure.reason))
      spdlog::warn("cannot look for a renewed certificate, the one before is served: {}", failure.reason);
    failures.insert(failure.reason);
  }
  failures_ = std::move(failures);
  if (!renewal.snapshot || before != snapshot_ || stopped_) return look_again();
  renewals_.Increment(static_cast<double>(renewal.renewed.size()));
  for (const std::string& name : renewal.renewed)
    spdlog::info("certificate \"{}\": renewed on its token; new connections get the new one", name);
  renewed_(renewal.snapshot);
}

}  // namespace keystay::tlsd
