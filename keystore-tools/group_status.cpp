#include "keystore-tools/group_status.h"

#include <algorithm>
#include <utility>
#include <vector>

#include <boost/json.hpp>
#include <fmt/core.h>

#include "keystore-tools/failure.h"
#include "keystore-tools/file_argument.h"
#include "keystore-tools/member_report.h"
#include "keystore-tools/opened_group.h"
#include "native/x509/openssl_pkix.h"

namespace keystay::tools {
namespace {

// "active", "stands by" or "fails", by the rule of the group for members that answer.
std::vector<const char*> roles(const std::vector<MemberReport>& reports, std::size_t min_active) {
  std::vector<const char*> roles;
  std::size_t active = 0;
  for (const MemberReport& report : reports) {
    const bool answers = report.error.empty();
    roles.push_back(!answers ? "fails" : active < min_active ? "active" : "stands by");
    active += answers ? 1 : 0;
  }
  return roles;
}

std::string in_json(const ha::GroupDescription& group, const std::vector<MemberReport>& reports,
                    const std::vector<Difference>& differing) {
  const std::vector<const char*> role = roles(reports, group.min_active);
  boost::json::array members;
  for (std::size_t i = 0; i < reports.size(); ++i) {
    const MemberReport& report = reports[i];
    boost::json::array aliases;
    for (const auto& [alias, held] : report.aliases) {
      aliases.push_back({{"alias", json_text(alias)}, {"id", held.id}, {"certificate", !held.chain.empty()}});
    }
    boost::json::object member{{"name", report.name},
                               {"zone", report.zone},
                               {"role", role[i]},
                               {"label", json_text(report.token.label)},
                               {"serial", json_text(report.token.serial)},
                               {"model", json_text(report.token.model)},
                               {"milliseconds", report.took.count()},
                               {"aliases", std::move(aliases)}};
    if (!report.error.empty()) member["error"] = report.error;
    members.push_back(std::move(member));
  }
  boost::json::array sentences;
  for (const std::string& sentence : members_twice(reports)) sentences.emplace_back(sentence);
  for (const Difference& difference : differing) sentences.emplace_back(difference.sentence);
  return json_line({{"group", group.name},
                    {"min-active", group.min_active},
                    {"members", std::move(members)},
                    {"differences", std::move(sentences)}});
}

std::string in_text(const ha::GroupDescription& group, const std::vector<MemberReport>& reports,
                    const std::vector<Difference>& differing) {
  const std::vector<const char*> role = roles(reports, group.min_active);
  std::size_t widest = 0;
  for (const MemberReport& report : reports) widest = std::max(widest, report.name.size());
  std::string text = fmt::format("Group \"{}\": {} member{}, {} active at a time\n", group.name,
                                 reports.size(), reports.size() == 1 ? "" : "s", group.min_active);
  for (std::size_t i = 0; i < reports.size(); ++i) {
    const MemberReport& report = reports[i];
    text += fmt::format("  {:<{}}  {:<9}  ", report.name, widest, role[i]);
    text += report.error.empty()
                ? fmt::format("{} key{}, serial {}, answered in {} ms{}\n", report.aliases.size(),
                              report.aliases.size() == 1 ? "" : "s", report.token.serial, report.took.count(),
                              report.zone.empty() ? "" : ", zone " + report.zone)
                : report.error + "\n";
  }
  for (const std::string& sentence : members_twice(reports)) text += "  " + sentence + "\n";
  for (const Difference& difference : differing) text += "  " + difference.sentence + "\n";
  return text;
}

}  // namespace

void GroupStatus::run(const StoreOptions& options) const {
  const x509::OpenSslPkix pkix;
  const ha::GroupDescription group = open_group(options);
  const std::vector<MemberReport> reports = ask_members(group, pkix);
  const std::vector<Difference> differing = differences(reports);
  write_output(
      {}, form == OutputForm::json ? in_json(group, reports, differing) : in_text(group, reports, differing));
  const auto failing =
      std::ranges::count_if(reports, [](const MemberReport& report) { return !report.error.empty(); });
  if (failing != 0) throw Failure(fmt::format("{} of {} members cannot be used", failing, reports.size()));
  if (!members_twice(reports).empty()) throw Failure("two members are one token");
  if (!differing.empty()) throw Failure("the members do not have the same; bring to each what it lacks");
}

}  // namespace keystay::tools
