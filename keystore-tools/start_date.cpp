#include "keystore-tools/start_date.h"

#include <charconv>
#include <optional>
#include <string>

#include "keystore-tools/failure.h"

namespace keystay::tools {
namespace {

using std::chrono::days;
using std::chrono::sys_days;
using std::chrono::sys_seconds;
using std::chrono::year_month_day;

constexpr int kMostYears = 9999;  // of a shift

[[noreturn]] void fail(std::string_view text) {
  throw UsageError(
      "-startdate \"" + std::string(text) +
      "\": expected \"2026/11/21 09:30:00\", or a shift like \"-1d\" or \"+1y-2m+12H\", in the years "
      "1950 to 9999");
}

// Takes `digits` decimal digits (0: as many as there are) off the front of the text.
std::optional<int> take_number(std::string_view& text, std::size_t digits) {
  int number = 0;
  const std::string_view part = text.substr(0, digits == 0 ? 6 : digits);
  const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), number);
  const auto used = static_cast<std::size_t>(end - part.data());
  if (error != std::errc{} || number < 0 || (digits != 0 && used != digits)) return std::nullopt;
  text.remove_prefix(used);
  return number;
}

bool take(std::string_view& text, char c) {
  if (!text.starts_with(c)) return false;
  text.remove_prefix(1);
  return true;
}

// Three numbers between separators: "2026/11/21", "09:30:00".
struct Triple {
  int a, b, c;
};
std::optional<Triple> take_triple(std::string_view& text, char separator, std::size_t first_digits) {
  std::string_view rest = text;
  const auto a = take_number(rest, first_digits);
  if (!a || !take(rest, separator)) return std::nullopt;
  const auto b = take_number(rest, 2);
  if (!b || !take(rest, separator)) return std::nullopt;
  const auto c = take_number(rest, 2);
  if (!c) return std::nullopt;
  text = rest;
  return Triple{*a, *b, *c};
}

sys_seconds absolute(std::string_view text, sys_seconds now) {
  std::string_view rest = text;
  sys_days day = std::chrono::floor<days>(now);
  std::chrono::seconds time_of_day = now - day;
  if (const auto date = take_triple(rest, '/', 4)) {
    const year_month_day ymd{std::chrono::year(date->a), std::chrono::month(static_cast<unsigned>(date->b)),
                             std::chrono::day(static_cast<unsigned>(date->c))};
    if (!ymd.ok()) fail(text);
    day = ymd;
    if (!rest.empty() && (!take(rest, ' ') || rest.empty())) fail(text);
  }
  if (!rest.empty()) {
    const auto time = take_triple(rest, ':', 2);
    if (!time || !rest.empty() || time->a > 23 || time->b > 59 || time->c > 59) fail(text);
    time_of_day = std::chrono::hours(time->a) + std::chrono::minutes(time->b) + std::chrono::seconds(time->c);
  }
  return day + time_of_day;
}

// A day that the target month does not have becomes its last one.
sys_seconds shift_months(sys_seconds time, std::chrono::months months) {
  const sys_days day = std::chrono::floor<days>(time);
  year_month_day shifted = year_month_day(day) + months;
  if (!shifted.ok()) shifted = shifted.year() / shifted.month() / std::chrono::last;
  return sys_days(shifted) + (time - day);
}

// RFC 5280, section 4.1.2.5: from UTCTime's first year to GeneralizedTime's last one.
bool is_encodable(sys_seconds time) {
  using namespace std::chrono;
  return time >= sys_days(1950y / 1 / 1) && time < sys_days(10000y / 1 / 1);
}

sys_seconds shifted(std::string_view text, sys_seconds time) {
  std::string_view rest = text;
  while (!rest.empty()) {
    const int sign = take(rest, '-') ? -1 : 1;
    if (sign == 1 && !take(rest, '+')) fail(text);
    const auto amount = take_number(rest, 0);
    if (!amount || rest.empty()) fail(text);
    const int signed_amount = sign * *amount;
    const char unit = rest.front();
    rest.remove_prefix(1);
    switch (unit) {
      case 'y':
        if (*amount > kMostYears) fail(text);
        time = shift_months(time, std::chrono::months(12) * signed_amount);
        break;
      case 'm':
        if (*amount > 12 * kMostYears) fail(text);
        time = shift_months(time, std::chrono::months(signed_amount));
        break;
      case 'd':
        time += days(signed_amount);
        break;
      case 'H':
        time += std::chrono::hours(signed_amount);
        break;
      case 'M':
        time += std::chrono::minutes(signed_amount);
        break;
      case 'S':
        time += std::chrono::seconds(signed_amount);
        break;
      default:
        fail(text);
    }
    if (!is_encodable(time)) fail(text);  // at each step: years are 16 bits wide
  }
  return time;
}

}  // namespace

sys_seconds start_date(std::string_view text, sys_seconds now) {
  if (text.empty()) return now;
  const sys_seconds time =
      text.front() == '+' || text.front() == '-' ? shifted(text, now) : absolute(text, now);
  if (!is_encodable(time)) fail(text);
  return time;
}

}  // namespace keystay::tools
