#include "native/keys/unfinished_label.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <system_error>

#include <sys/random.h>

namespace keystay::keys {
namespace {

constexpr std::string_view kForm = "00000000T000000Z-xxxxxxxxxxxxxxxx";  // 0: a digit, x: a hex digit

bool fits(char form, char c) {
  const bool digit = c >= '0' && c <= '9';
  if (form == '0') return digit;
  if (form == 'x') return digit || (c >= 'a' && c <= 'f');
  return c == form;
}

std::uint64_t nonce() {
  std::uint64_t random = 0;
  if (::getrandom(&random, sizeof random, 0) != static_cast<ssize_t>(sizeof random)) {
    throw std::system_error(errno, std::generic_category(), "getrandom");
  }
  return random;
}

int number(std::string_view digits) {
  int value = 0;
  for (const char digit : digits) value = value * 10 + (digit - '0');
  return value;
}

}  // namespace

std::string unfinished_label() {
  const std::time_t now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  std::tm utc{};
  ::gmtime_r(&now, &utc);
  std::array<char, 17> time{};
  std::array<char, 17> random{};
  if (std::strftime(time.data(), time.size(), "%Y%m%dT%H%M%SZ", &utc) == 0) {
    throw std::system_error(EOVERFLOW, std::generic_category(), "strftime");
  }
  std::snprintf(random.data(), random.size(), "%016lx", nonce());
  return std::string(kUnfinishedPrefix) + time.data() + "-" + random.data();
}

std::optional<std::chrono::system_clock::time_point> unfinished_since(std::string_view label) {
  if (!label.starts_with(kUnfinishedPrefix)) return std::nullopt;
  label.remove_prefix(kUnfinishedPrefix.size());
  if (!std::equal(kForm.begin(), kForm.end(), label.begin(), label.end(), fits)) return std::nullopt;
  std::tm utc{};
  utc.tm_year = number(label.substr(0, 4)) - 1900;
  utc.tm_mon = number(label.substr(4, 2)) - 1;
  utc.tm_mday = number(label.substr(6, 2));
  utc.tm_hour = number(label.substr(9, 2));
  utc.tm_min = number(label.substr(11, 2));
  utc.tm_sec = number(label.substr(13, 2));
  return std::chrono::system_clock::from_time_t(::timegm(&utc));
}

bool is_unfinished_label(std::string_view label) { return unfinished_since(label).has_value(); }

}  // namespace keystay::keys
