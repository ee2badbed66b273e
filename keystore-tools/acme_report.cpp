#include "keystore-tools/acme_report.h"

#include <boost/json.hpp>
#include <fmt/chrono.h>
#include <fmt/core.h>

#include "keystore-tools/acme/hook.h"
#include "keystore-tools/file_argument.h"
#include "keystore-tools/report.h"
#include "native/config/optional_configuration.h"
#include "native/pkcs11/unicode.h"
#include "native/x509/certificate_text.h"

namespace keystay::tools {
namespace {

constexpr std::string_view kVariable = "env:";

struct ResultName {
  std::string_view json;
  std::string_view text;
};

ResultName name_of(AcmeResult result) {
  switch (result) {
    case AcmeResult::issued:
      return {"issued", "certificate was issued and installed"};
    case AcmeResult::renewed:
      return {"renewed", "certificate was renewed"};
    case AcmeResult::rotated:
      return {"rotated", "certificate was renewed, with a new key"};
    case AcmeResult::not_due:
      return {"not-due", "certificate is not due"};
    case AcmeResult::skipped:
      return {"skipped", "skipped"};
    case AcmeResult::would_be_made:
      return {"would-be-made", "a certificate would be ordered"};
    case AcmeResult::failed:
      break;
  }
  return {"failed", "failed"};
}

std::string moment(std::chrono::system_clock::time_point time) {
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::chrono::system_clock::to_time_t(time)));
}

std::string text_of(const AcmeOutcome& outcome) {
  std::string line = fmt::format("{}: {}", pkcs11::printable(outcome.alias), name_of(outcome.result).text);
  if (outcome.not_after) line += ", valid until " + x509::describe_time(*outcome.not_after);
  if (!outcome.reason.empty()) line += ": " + outcome.reason;
  return line + "\n";
}

boost::json::object json_of(const AcmeOutcome& outcome) {
  boost::json::object object{{"alias", json_text(outcome.alias)},
                             {"source", text_or_null(outcome.source)},
                             {"result", name_of(outcome.result).json},
                             {"not-after", nullptr},
                             {"reason", text_or_null(outcome.reason)}};
  if (outcome.not_after) object["not-after"] = moment(*outcome.not_after);
  return object;
}

void add_variable(const std::string& pin_source, std::vector<std::string>& names) {
  if (pin_source.starts_with(kVariable)) names.push_back(pin_source.substr(kVariable.size()));
}

}  // namespace

void write_outcomes(boost::json::object report, const std::vector<AcmeOutcome>& outcomes, OutputForm form) {
  std::string text;
  boost::json::array list;
  for (const AcmeOutcome& outcome : outcomes) {
    if (form == OutputForm::json) {
      list.push_back(json_of(outcome));
    } else if (outcome.result != AcmeResult::failed) {  // that is told on standard error
      text += text_of(outcome);
    }
  }
  if (form == OutputForm::text) return write_output({}, text);
  report["certificates"] = std::move(list);
  write_report(form, report);
}

std::vector<std::string> secret_variables(const StoreOptions& options) {
  std::vector<std::string> names;
  add_variable(options.pin_source, names);
  const config::Configuration configuration = config::read_optional_configuration(options.configuration);
  for (const auto& [name, token] : configuration.tokens) add_variable(token.pin, names);
  return names;
}

std::filesystem::path renewal_file_of(const std::filesystem::path& option, const StoreOptions& options) {
  if (!option.empty()) return option;
  return acme::default_renewal_file(options.configuration.empty() ? config::configuration_file()
                                                                  : options.configuration);
}

void run_deploy_hook(const std::filesystem::path& program, const std::string& alias,
                     const StoreOptions& options) {
  if (program.empty()) return;
  acme::run_hook({program, secret_variables(options)}, {alias}, {"KEYSTAY_ACME_ALIAS=" + alias});
}

}  // namespace keystay::tools
