#include "keystore-tools/group_diff.h"

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

std::string in_json(const ha::GroupDescription& group, const std::vector<MemberReport>& reports,
                    const std::vector<Difference>& differing) {
  boost::json::array found;
  for (const Difference& difference : differing) {
    found.push_back({{"alias", json_text(difference.alias)},
                     {"kind", name_of(difference.kind)},
                     {"member", difference.member},
                     {"other", difference.other},
                     {"text", difference.sentence}});
  }
  boost::json::array not_compared;
  for (const MemberReport& report : reports) {
    if (!report.error.empty()) not_compared.push_back({{"name", report.name}, {"error", report.error}});
  }
  return json_line(
      {{"group", group.name}, {"differences", std::move(found)}, {"not-compared", std::move(not_compared)}});
}

std::string in_text(const std::vector<Difference>& differing) {
  std::string text;
  for (const Difference& difference : differing) text += difference.sentence + "\n";
  return text;
}

}  // namespace

void GroupDiff::run(const StoreOptions& options) const {
  const x509::OpenSslPkix pkix;
  const ha::GroupDescription group = open_group(options);
  const std::vector<MemberReport> reports = ask_members(group, pkix);
  const std::vector<Difference> differing = differences(reports);
  write_output({}, form == OutputForm::json ? in_json(group, reports, differing) : in_text(differing));
  if (const std::string failed = failures(reports); !failed.empty())
    throw Failure("not all members were compared: " + failed);
  if (!differing.empty()) {
    throw Failure(fmt::format("{} difference{} between the members of \"{}\"", differing.size(),
                              differing.size() == 1 ? "" : "s", group.name));
  }
}

}  // namespace keystay::tools
