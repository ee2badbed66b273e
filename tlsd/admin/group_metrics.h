// The members of the groups as Prometheus sees them.
#pragma once

#include <vector>

#include <prometheus/collectable.h>

#include "tlsd/tls/library_context.h"

namespace keystay::tlsd {

// Asks the provider whenever it is collected, so that members that are no longer configured have no series.
// Thread-safe.
class GroupMetrics final : public prometheus::Collectable {
 public:
  // `library` must outlive this object.
  explicit GroupMetrics(const LibraryContext& library) noexcept : library_(library) {}

  [[nodiscard]] std::vector<prometheus::MetricFamily> Collect() const override;

 private:
  const LibraryContext& library_;
};

}  // namespace keystay::tlsd
