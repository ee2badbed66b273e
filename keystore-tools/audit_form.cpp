#include "keystore-tools/audit_form.h"

#include <boost/json.hpp>
#include <fmt/chrono.h>
#include <fmt/core.h>

#include "keystore-tools/output_form.h"
#include "keystore-tools/text_table.h"
#include "native/pkcs11/text.h"
#include "native/pkcs11/unicode.h"

namespace keystay::tools {
namespace {

using pkcs11::printable;

boost::json::value flag_in_json(std::optional<bool> flag) {
  return flag ? boost::json::value(*flag) : boost::json::value(nullptr);
}

std::string moment(std::chrono::system_clock::time_point time) {
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::chrono::system_clock::to_time_t(time)));
}

boost::json::array findings_in_json(const std::vector<Finding>& findings) {
  boost::json::array array;
  for (const Finding& finding : findings)
    array.push_back({{"rule", finding.rule}, {"text", json_text(finding.text)}});
  return array;
}

boost::json::value certificate_in_json(const std::optional<AuditedCertificate>& certificate) {
  if (!certificate) return nullptr;
  return {{"subject", json_text(certificate->subject)},
          {"issuer", json_text(certificate->issuer)},
          {"not-before", moment(certificate->not_before)},
          {"not-after", moment(certificate->not_after)},
          {"days", certificate->days},
          {"self-signed", certificate->self_signed},
          {"chain-length", certificate->chain_length},
          {"chain-complete", certificate->complete}};
}

boost::json::object key_in_json(const AuditedKey& key) {
  boost::json::object object{{"alias", json_text(key.alias)},
                             {"state", keys::name_of(key.state)},
                             {"key", key.key},
                             {"id", pkcs11::hex(key.id)}};
  const keys::KeyProtection none{};
  const keys::KeyProtection& protection = key.protection ? *key.protection : none;
  object["made-in-token"] = flag_in_json(protection.local);
  object["sensitive"] = flag_in_json(protection.sensitive);
  object["always-sensitive"] = flag_in_json(protection.always_sensitive);
  object["extractable"] = flag_in_json(protection.extractable);
  object["never-extractable"] = flag_in_json(protection.never_extractable);
  boost::json::array uses;
  for (const std::string& use : protection.uses) uses.emplace_back(use);
  object["uses"] = std::move(uses);
  object["certificate"] = certificate_in_json(key.certificate);
  object["findings"] = findings_in_json(key.findings);
  return object;
}

boost::json::object report_in_json(const AuditReport& report) {
  boost::json::array keys;
  for (const AuditedKey& key : report.keys) keys.push_back(key_in_json(key));
  boost::json::array others;
  for (const AuditedObject& object : report.others) {
    others.push_back({{"name", json_text(object.name)},
                      {"kind", object.kind},
                      {"findings", findings_in_json(object.findings)}});
  }
  return {{"token",
           {{"label", json_text(report.token.label)},
            {"serial", json_text(report.token.serial)},
            {"manufacturer", json_text(report.token.manufacturer)},
            {"model", json_text(report.token.model)}}},
          {"keys", std::move(keys)},
          {"others", std::move(others)},
          {"findings", report.findings()}};
}

std::string days(const AuditedKey& key) {
  if (!key.certificate) return "none";
  return key.certificate->days < 0 ? "expired" : fmt::format("{} days", key.certificate->days);
}

std::string table(const AuditReport& report) {
  TextTable table(
      {"ALIAS", "STATE", "KEY", "ORIGIN", "SENSITIVE", "EXTRACTABLE", "USES", "CERTIFICATE", "FINDINGS"});
  for (const AuditedKey& key : report.keys) {
    table.add({printable(key.alias), std::string(keys::name_of(key.state)), key.key, std::string(origin(key)),
               std::string(answer(key.protection ? key.protection->sensitive : std::nullopt)),
               std::string(answer(key.protection ? key.protection->extractable : std::nullopt)), uses(key),
               days(key), key.findings.empty() ? "" : std::to_string(key.findings.size())});
  }
  return table.text();
}

std::string findings(const AuditReport& report, TerminalStyle style) {
  std::string text;
  const auto add = [&](const std::string& name, const std::vector<Finding>& found) {
    for (const Finding& finding : found)
      text += fmt::format("{}: {} [{}]\n", in_red(name, style), printable(finding.text), finding.rule);
  };
  for (const AuditedKey& key : report.keys) add("alias \"" + printable(key.alias) + "\"", key.findings);
  for (const AuditedObject& object : report.others) add(object.kind + " " + object.name, object.findings);
  return text.empty() ? in_green("Nothing was found that the policy does not want", style) + "\n" : text;
}

}  // namespace

std::string_view answer(std::optional<bool> flag) {
  if (!flag) return "not told";
  return *flag ? "yes" : "no";
}

std::string_view origin(const AuditedKey& key) {
  if (!key.protection || !key.protection->local) return "not told";
  return *key.protection->local ? "token" : "elsewhere";
}

std::string uses(const AuditedKey& key) {
  std::string text;
  if (!key.protection) return text;
  for (const std::string& use : key.protection->uses) text.append(text.empty() ? "" : ", ").append(use);
  return text;
}

std::string day(std::chrono::system_clock::time_point time) {
  return fmt::format("{:%Y-%m-%d}", fmt::gmtime(std::chrono::system_clock::to_time_t(time)));
}

std::string audit_in_text(const AuditHeading& heading, const std::vector<AuditReport>& reports,
                          TerminalStyle style) {
  std::string text = fmt::format("Audit of {} by {}\n", moment(heading.time), printable(heading.policy));
  for (const AuditReport& report : reports) {
    text += fmt::format("\nToken {}, serial {} ({} {})\n\n{}\n{}", printable(report.token.label),
                        printable(report.token.serial), printable(report.token.manufacturer),
                        printable(report.token.model), table(report), findings(report, style));
  }
  return text;
}

std::string audit_in_json(const AuditHeading& heading, const std::vector<AuditReport>& reports) {
  boost::json::array tokens;
  std::size_t found = 0;
  for (const AuditReport& report : reports) {
    tokens.push_back(report_in_json(report));
    found += report.findings();
  }
  return json_line({{"time", moment(heading.time)},
                    {"policy", json_text(heading.policy)},
                    {"tokens", std::move(tokens)},
                    {"findings", found}});
}

}  // namespace keystay::tools
