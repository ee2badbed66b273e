// What the tokens have to do, as Prometheus sees it.
#pragma once

#include <vector>

#include <prometheus/collectable.h>

#include "tlsd/tls/library_context.h"

namespace keystay::tlsd {

// Asks the provider whenever it is collected. Thread-safe.
class TokenMetrics final : public prometheus::Collectable {
 public:
  // `library` must outlive this object.
  explicit TokenMetrics(const LibraryContext& library) noexcept : library_(library) {}

  [[nodiscard]] std::vector<prometheus::MetricFamily> Collect() const override;

 private:
  const LibraryContext& library_;
};

}  // namespace keystay::tlsd
