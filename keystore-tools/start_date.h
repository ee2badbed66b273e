// keytool's -startdate.
#pragma once

#include <chrono>
#include <string_view>

namespace keystay::tools {

// "[yyyy/mm/dd] [HH:MM:SS]" (UTC; what is left out is today's, or the time of day of `now`), or shifts of
// `now` like "-1d" and "+1y-2m+12H" (y, m, d, H, M, S). Empty: `now`. Throws UsageError.
[[nodiscard]] std::chrono::sys_seconds start_date(std::string_view text, std::chrono::sys_seconds now);

}  // namespace keystay::tools
