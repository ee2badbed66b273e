#include "tlsd/tls/asn1_time.h"

#include <algorithm>
#include <ctime>

namespace keystay::tlsd {

std::chrono::system_clock::time_point time_point(const ASN1_TIME* time) {
  using TimePoint = std::chrono::system_clock::time_point;
  std::tm broken_down{};
  if (ASN1_TIME_to_tm(time, &broken_down) != 1) return {};
  // Certificates that never expire do so in 9999 (RFC 5280, section 4.1.2.5).
  using Seconds = std::chrono::seconds;
  const auto latest = std::chrono::floor<Seconds>(TimePoint::max().time_since_epoch());
  const auto earliest = std::chrono::ceil<Seconds>(TimePoint::min().time_since_epoch());
  return TimePoint(std::clamp(Seconds(timegm(&broken_down)), earliest, latest));
}

}  // namespace keystay::tlsd
