#include "keystore-tools/member_report.h"

#include <optional>
#include <utility>

#include <fmt/core.h>

#include "native/keys/key_store.h"
#include "native/pkcs11/error.h"
#include "native/pkcs11/text.h"
#include "native/pkcs11/unicode.h"

namespace keystay::tools {
namespace {

using std::chrono::steady_clock;

// Nothing if the alias is the same on both.
std::optional<Difference> compare(const std::string& alias, const MemberReport& model,
                                  const MemberReport& member) {
  const HeldAlias& held = model.aliases.at(alias);
  const auto found = member.aliases.find(alias);
  const std::string name = pkcs11::printable(alias);
  const auto difference = [&](DifferenceKind kind, std::string sentence) {
    return Difference{kind, alias, member.name, model.name, std::move(sentence)};
  };
  if (found == member.aliases.end()) {
    return difference(DifferenceKind::missing,
                      fmt::format("{} lacks \"{}\", which {} has", member.name, name, model.name));
  }
  const HeldAlias& other = found->second;
  if (other.key != held.key) {
    return difference(DifferenceKind::key,
                      fmt::format("{} has another key under \"{}\" than {}", member.name, name, model.name));
  }
  if (other.id != held.id) {
    return difference(DifferenceKind::id, fmt::format("{} has \"{}\" with the CKA_ID {}, {} with {}",
                                                      member.name, name, other.id, model.name, held.id));
  }
  if (other.certificate == held.certificate) return std::nullopt;
  if (other.certificate.empty()) {
    return difference(DifferenceKind::certificate, fmt::format("{} has no certificate for \"{}\", unlike {}",
                                                               member.name, name, model.name));
  }
  return difference(DifferenceKind::certificate,
                    fmt::format("{} has another certificate for \"{}\" than {}{}", member.name, name,
                                model.name, held.certificate.empty() ? ", which has none" : ""));
}

}  // namespace

MemberReport ask_member(const ha::MemberToken& member, const keys::Pkix& pkix) {
  MemberReport report;
  report.name = member.name;
  report.zone = member.zone;
  const auto begin = steady_clock::now();
  try {
    member.source->recover();
    report.token = member.source->info();
    for (const keys::Entry& entry : keys::KeyStore(member.source, pkix).entries()) {
      report.aliases.insert({entry.alias,
                             {pkcs11::hex(entry.key.reference().id()), entry.key.public_key(),
                              entry.leaf ? entry.leaf->der : pkcs11::Bytes{}}});
    }
  } catch (const pkcs11::Error& error) {
    report.error = error.what();
  }
  report.took = std::chrono::duration_cast<std::chrono::milliseconds>(steady_clock::now() - begin);
  return report;
}

std::vector<MemberReport> ask_members(const ha::GroupDescription& group, const keys::Pkix& pkix) {
  std::vector<MemberReport> reports;
  for (const ha::MemberToken& member : group.members) reports.push_back(ask_member(member, pkix));
  return reports;
}

std::string failures(const std::vector<MemberReport>& reports) {
  std::string text;
  for (const MemberReport& report : reports) {
    if (!report.error.empty()) text += (text.empty() ? "" : "; ") + report.name + ": " + report.error;
  }
  return text;
}

const char* name_of(DifferenceKind kind) noexcept {
  switch (kind) {
    case DifferenceKind::missing:
      return "missing";
    case DifferenceKind::key:
      return "key";
    case DifferenceKind::id:
      return "id";
    case DifferenceKind::certificate:
      return "certificate";
  }
  return "";
}

std::vector<Difference> differences(const std::vector<MemberReport>& reports) {
  std::map<std::string, const MemberReport*, std::less<>> models;  // the first that has the alias
  for (const MemberReport& report : reports) {
    for (const auto& [alias, _] : report.aliases) models.try_emplace(alias, &report);
  }
  std::vector<Difference> found;
  for (const auto& [alias, model] : models) {
    for (const MemberReport& report : reports) {
      if (!report.error.empty() || &report == model) continue;
      if (auto difference = compare(alias, *model, report)) found.push_back(*std::move(difference));
    }
  }
  return found;
}

}  // namespace keystay::tools
