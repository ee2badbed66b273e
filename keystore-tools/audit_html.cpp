// The audit as a page: for an auditor, who reads it on a screen, on paper, and without this program.
#include <string>
#include <string_view>

#include <fmt/chrono.h>
#include <fmt/core.h>

#include "keystore-tools/audit_form.h"
#include "native/pkcs11/text.h"
#include "native/pkcs11/unicode.h"

namespace keystay::tools {
namespace {

constexpr std::string_view kStyle = R"(
:root { color-scheme: light dark; --text: #1b1f24; --page: #ffffff; --soft: #5b6470; --line: #d5dae0; --band: #f4f6f8;
  --bad: #a11b1b; --bad-band: #fdecec; --good: #1a6b35; --good-band: #e9f6ec; }
@media (prefers-color-scheme: dark) { :root { --text: #e6e9ed; --page: #14171b; --soft: #9aa4b1; --line: #333a43;
  --band: #1d2228; --bad: #ff9a94; --bad-band: #3a1d1d; --good: #86d89c; --good-band: #16301e; } }
* { box-sizing: border-box; }
body { margin: 2rem auto; max-width: 78rem; padding: 0 1.5rem; font: 15px/1.5 system-ui, sans-serif; color: var(--text);
  background: var(--page); }
h1 { font-size: 1.6rem; margin: 0 0 .25rem; } h2 { font-size: 1.2rem; margin: 2.25rem 0 .25rem; }
h3 { font-size: 1rem; margin: 1.5rem 0 .5rem; }
p { margin: .25rem 0; } .soft { color: var(--soft); }
.sum { display: inline-block; margin: 1rem 0 0; padding: .35rem .8rem; border-radius: .4rem; font-weight: 600; }
.bad { color: var(--bad); background: var(--bad-band); } .good { color: var(--good); background: var(--good-band); }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .88rem; }
th, td { text-align: left; vertical-align: top; padding: .4rem .6rem; border-bottom: 1px solid var(--line); }
th { background: var(--band); font-weight: 600; }
td.name { font-weight: 600; overflow-wrap: anywhere; min-width: 9rem; } td.wrong { color: var(--bad); font-weight: 600; }
td code { font-size: .8rem; color: var(--soft); overflow-wrap: anywhere; }
code { font-family: ui-monospace, monospace; }
@media print { :root { --text: #000; --page: #fff; --soft: #444; --line: #999; --band: #eee; --bad: #8a0000;
  --bad-band: #fff; --good: #00501c; --good-band: #fff; }
  body { margin: 0; padding: 0; max-width: none; font-size: 9.5pt; } .wide { overflow: visible; } .sum { border: 1px solid; }
  tr { break-inside: avoid; } thead { display: table-header-group; } @page { size: A4 landscape; margin: 14mm; } }
)";

// Text of a token's, wherever it stands.
std::string escaped(std::string_view text) {
  std::string result;
  for (const char c : pkcs11::printable(text)) {
    switch (c) {
      case '&':
        result += "&amp;";
        break;
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '"':
        result += "&quot;";
        break;
      case '\'':
        result += "&#39;";
        break;
      default:
        result += c;
    }
  }
  return result;
}

std::string summary(std::size_t findings) {
  if (findings == 0) return "<p class=\"sum good\">Nothing was found that the policy does not want</p>\n";
  return fmt::format("<p class=\"sum bad\">{} finding{}</p>\n", findings, findings == 1 ? "" : "s");
}

bool has(const AuditedKey& key, std::string_view rule) {
  for (const Finding& finding : key.findings)
    if (finding.rule == rule) return true;
  return false;
}

std::string cell(std::string_view text, bool is_wrong) {
  return fmt::format("<td{}>{}</td>", is_wrong ? " class=\"wrong\"" : "", escaped(text));
}

// "yes" and, where it was not always so, "(not always)".
std::string lasting(std::optional<bool> now, std::optional<bool> always, bool wanted,
                    std::string_view before) {
  std::string text(answer(now));
  if (now == wanted && always == false) text.append(" (").append(before).append(")");
  return text;
}

std::string certificate_cells(const AuditedKey& key) {
  if (!key.certificate) return cell("none", has(key, "no-certificate")) + cell("", false) + cell("", false);
  const AuditedCertificate& certificate = *key.certificate;
  const bool is_late = has(key, "expired") || has(key, "expires-soon") || has(key, "not-yet-valid");
  const std::string until = certificate.days < 0
                                ? day(certificate.not_after) + ", expired"
                                : fmt::format("{}, {} days", day(certificate.not_after), certificate.days);
  const std::string chain = certificate.self_signed && certificate.chain_length == 1
                                ? std::string("self-signed")
                                : fmt::format("{}, {}", certificate.chain_length,
                                              certificate.complete ? "complete" : "not complete");
  return fmt::format("<td>{}<br><span class=\"soft\">by {}</span></td>", escaped(certificate.subject),
                     escaped(certificate.self_signed ? "itself" : certificate.issuer)) +
         cell(until, is_late) +
         cell(chain, has(key, "chain") || has(key, "issuer-no-ca") || has(key, "self-signed"));
}

std::string row(const AuditedKey& key) {
  const keys::KeyProtection none{};
  const keys::KeyProtection& is = key.protection ? *key.protection : none;
  return fmt::format("<tr><td class=\"name\">{}</td>", escaped(key.alias)) +
         cell(keys::name_of(key.state), false) +
         fmt::format("<td{}>{}<br><code>{}</code></td>",
                     has(key, "size") || has(key, "curve") ? " class=\"wrong\"" : "", escaped(key.key),
                     pkcs11::hex(key.id)) +
         cell(origin(key), has(key, "origin")) +
         cell(lasting(is.sensitive, is.always_sensitive, true, "not always"), has(key, "sensitive")) +
         cell(lasting(is.extractable, is.never_extractable, false, "once was"), has(key, "extractable")) +
         cell(uses(key), has(key, "use")) + certificate_cells(key) + "</tr>\n";
}

std::string keys_table(const AuditReport& report) {
  if (report.keys.empty()) return "<p>The token has no keys.</p>\n";
  std::string text =
      "<h3>Keys</h3>\n<div class=\"wide\"><table><thead><tr><th>Alias</th><th>State</th><th>Key, "
      "CKA_ID</th><th>Made "
      "in</th><th>Sensitive</th><th>Extractable</th><th>Uses</th><th>Certificate</th><th>Valid "
      "until</th><th>Chain</th></tr></thead><tbody>\n";
  for (const AuditedKey& key : report.keys) text += row(key);
  return text + "</tbody></table></div>\n";
}

std::string others_table(const AuditReport& report) {
  if (report.others.empty()) return "";
  std::string text =
      "<h3>Other objects</h3>\n<div class=\"wide\"><table><thead><tr><th>Name</th><th>What it "
      "is</th></tr></thead><tbody>\n";
  for (const AuditedObject& object : report.others)
    text += fmt::format("<tr><td class=\"name\">{}</td><td>{}</td></tr>\n", escaped(object.name),
                        escaped(object.kind));
  return text + "</tbody></table></div>\n";
}

std::string findings_table(const AuditReport& report) {
  if (report.findings() == 0) return "";
  std::string text =
      "<h3>Findings</h3>\n<div "
      "class=\"wide\"><table><thead><tr><th>What</th><th>Finding</th><th>Rule</th></tr></thead><tbody>\n";
  const auto add = [&](const std::string& name, const std::vector<Finding>& found) {
    for (const Finding& finding : found)
      text += fmt::format("<tr><td class=\"name\">{}</td><td>{}</td><td><code>{}</code></td></tr>\n",
                          escaped(name), escaped(finding.text), finding.rule);
  };
  for (const AuditedKey& key : report.keys) add(key.alias, key.findings);
  for (const AuditedObject& object : report.others) add(object.name, object.findings);
  return text + "</tbody></table></div>\n";
}

std::string section(const AuditReport& report) {
  return fmt::format(
             "<section><h2>Token {}</h2>\n<p class=\"soft\">Serial number {}, {} {}; {} private keys</p>\n",
             escaped(report.token.label), escaped(report.token.serial), escaped(report.token.manufacturer),
             escaped(report.token.model), report.keys.size()) +
         findings_table(report) + keys_table(report) + others_table(report) + "</section>\n";
}

}  // namespace

std::string audit_in_html(const AuditHeading& heading, const std::vector<AuditReport>& reports) {
  std::size_t findings = 0;
  std::string sections;
  for (const AuditReport& report : reports) {
    findings += report.findings();
    sections += section(report);
  }
  return fmt::format(
             "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n<meta name=\"viewport\" "
             "content=\"width=device-width, initial-scale=1\">\n<title>Audit of private "
             "keys</title>\n<style>{}</style>"
             "</head>\n<body>\n<h1>Audit of private keys</h1>\n<p class=\"soft\">{:%Y-%m-%d %H:%M:%S} UTC, "
             "by keystay {}, "
             "policy: {}</p>\n",
             kStyle, fmt::gmtime(std::chrono::system_clock::to_time_t(heading.time)), KEYSTAY_VERSION,
             escaped(heading.policy)) +
         summary(findings) + sections + "</body></html>\n";
}

}  // namespace keystay::tools
