// Looks for certificates that were renewed on their tokens, so that nobody has to ask for a reload.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <set>
#include <string>

#include <prometheus/counter.h>
#include <prometheus/registry.h>

#include "tlsd/blocking_thread.h"
#include "tlsd/execution.h"
#include "tlsd/snapshot.h"

namespace keystay::tlsd {

// Belongs to the control thread; tokens are waited for on the blocking thread, which must end first.
class CertificateWatch final {
 public:
  // What becomes of a snapshot with the new certificates.
  using Renewed = std::function<void(std::shared_ptr<const Snapshot>)>;

  CertificateWatch(Executor control, BlockingThread& thread, const LibraryContext& library, Renewed renewed);

  // From now on the certificates of this snapshot; never where the interval is 0.
  void use(std::shared_ptr<const Snapshot> snapshot, std::chrono::milliseconds interval);
  void stop();

  // What GET /metrics shows of it.
  [[nodiscard]] const prometheus::Collectable& metrics() const noexcept { return registry_; }

 private:
  void look_again();
  void look();
  void end(const std::shared_ptr<const Snapshot>& before, const Renewal& renewal);

  Executor control_;
  BlockingThread& thread_;
  const LibraryContext& library_;
  Renewed renewed_;
  Timer pause_;
  std::shared_ptr<const Snapshot> snapshot_;
  std::chrono::milliseconds interval_{0};
  std::set<std::string> failures_;  // those that were told, until they end
  bool looking_ = false;
  bool stopped_ = false;
  prometheus::Registry registry_;
  prometheus::Counter& succeeded_;
  prometheus::Counter& failed_;
  prometheus::Counter& renewals_;
};

}  // namespace keystay::tlsd
