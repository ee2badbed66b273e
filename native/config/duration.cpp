#include "native/config/duration.h"

#include <array>
#include <charconv>
#include <cstdint>

namespace keystay::config {
namespace {

using std::chrono::milliseconds;

struct Unit {
  std::string_view name;
  milliseconds length;
};

constexpr std::array<Unit, 4> kUnits{{{"h", std::chrono::hours(1)},
                                      {"m", std::chrono::minutes(1)},
                                      {"s", std::chrono::seconds(1)},
                                      {"ms", milliseconds(1)}}};

}  // namespace

std::optional<milliseconds> parse_duration(std::string_view text) {
  std::uint32_t number = 0;  // 32 bits of hours still fit into milliseconds
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{}) return std::nullopt;
  const std::string_view name = text.substr(static_cast<std::size_t>(end - text.data()));
  for (const Unit& unit : kUnits) {
    if (unit.name == name) return milliseconds(number) * unit.length.count();
  }
  return std::nullopt;
}

std::string format_duration(milliseconds duration) {
  for (const Unit& unit : kUnits) {
    if (duration.count() % unit.length.count() == 0) {
      return std::to_string(duration / unit.length) + std::string(unit.name);
    }
  }
  return std::to_string(duration.count()) + "ms";
}

}  // namespace keystay::config
