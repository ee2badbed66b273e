// access-log and access-log-format of keystay.toml as plain structs.
#pragma once

#include <string>

namespace keystay::config {

// What a line looks like.
enum class AccessLogFormat {
  combined,  // that of Apache's httpd and of nginx
  json,      // one object a line
};

struct AccessLogSettings {
  std::string target;  // the absolute path of a file, "stderr" or "stdout"; empty: no log
  AccessLogFormat format = AccessLogFormat::combined;

  bool operator==(const AccessLogSettings&) const = default;
};

inline constexpr char kStandardError[] = "stderr";
inline constexpr char kStandardOutput[] = "stdout";

}  // namespace keystay::config
