#include "native/config/access_log_reader.h"

namespace keystay::config {
namespace {

constexpr std::string_view kTarget = "access-log";
constexpr std::string_view kFormat = "access-log-format";

std::string target(const TableReader& table, const std::string& inherited) {
  const auto text = table.text(kTarget);
  if (!text) return inherited;
  if (*text == "none") return {};
  if (*text == kStandardError || *text == kStandardOutput) return *text;
  if (!text->starts_with('/') || text->ends_with('/')) {
    table.fail(kTarget, "expected the absolute path of a file, \"stderr\", \"stdout\" or \"none\", got \"" +
                            *text + "\"");
  }
  return *text;
}

AccessLogFormat format(const TableReader& table, AccessLogFormat inherited) {
  const auto text = table.text(kFormat);
  if (!text) return inherited;
  if (*text == "combined") return AccessLogFormat::combined;
  if (*text == "json") return AccessLogFormat::json;
  table.fail(kFormat, "expected \"combined\" or \"json\", got \"" + *text + "\"");
}

}  // namespace

AccessLogSettings read_access_log(const TableReader& table, const AccessLogSettings& inherited) {
  return {target(table, inherited.target), format(table, inherited.format)};
}

}  // namespace keystay::config
