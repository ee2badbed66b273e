#include "keystore-tools/report.h"

#include <boost/json.hpp>

#include "keystore-tools/file_argument.h"
#include "native/keys/key_source.h"

namespace keystay::tools {

boost::json::object report_of(std::string_view command, Mode mode) {
  return {{"command", command}, {"dry-run", mode == Mode::dry_run}};
}

boost::json::object report_of(std::string_view command, Mode mode, const keys::KeySource& source) {
  boost::json::object report = report_of(command, mode);
  report["source"] = json_text(source.name());
  return report;
}

boost::json::object report_of(std::string_view command, const keys::KeySource& source) {
  return {{"command", command}, {"source", json_text(source.name())}};
}

boost::json::value text_or_null(std::string_view text) {
  return text.empty() ? boost::json::value(nullptr) : boost::json::value(json_text(text));
}

void write_report(OutputForm form, const boost::json::object& report) {
  if (form == OutputForm::json) write_output({}, json_line(report));
}

}  // namespace keystay::tools
