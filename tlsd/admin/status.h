// What GET /status.json says: the configuration in use, and all metrics. docs/user/tlsd.md describes it.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "tlsd/admin/metrics.h"
#include "tlsd/snapshot.h"
#include "tlsd/tls/library_context.h"

namespace keystay::tlsd {

// Belongs to the control thread.
class Status final {
 public:
  // Both must outlive this object.
  Status(const LibraryContext& library, const Metrics& metrics) : library_(library), metrics_(metrics) {}

  void use(std::shared_ptr<const Snapshot> snapshot) { snapshot_ = std::move(snapshot); }
  void stop() noexcept { stopping_ = true; }

  // After use(). Calls no module.
  [[nodiscard]] std::string json() const;

 private:
  const LibraryContext& library_;
  const Metrics& metrics_;
  std::shared_ptr<const Snapshot> snapshot_;
  const std::chrono::system_clock::time_point started_ = std::chrono::system_clock::now();
  bool stopping_ = false;
};

}  // namespace keystay::tlsd
