#include "keystore-tools/member_report.h"

#include <algorithm>
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

std::string issuers(std::size_t count) {
  return count == 0 ? "no issuer" : fmt::format("{} issuer{}", count, count == 1 ? "" : "s");
}

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
  if (other.chain == held.chain) return std::nullopt;
  if (other.chain.empty()) {
    return difference(DifferenceKind::certificate, fmt::format("{} has no certificate for \"{}\", unlike {}",
                                                               member.name, name, model.name));
  }
  if (!held.chain.empty() && other.chain.front() == held.chain.front()) {
    return difference(
        DifferenceKind::issuers,
        fmt::format("{} has {} for the certificate of \"{}\", {} {}", member.name,
                    issuers(other.chain.size() - 1), name, model.name,
                    other.chain.size() == held.chain.size() ? "has others" : issuers(held.chain.size() - 1)));
  }
  return difference(DifferenceKind::certificate,
                    fmt::format("{} has another certificate for \"{}\" than {}{}", member.name, name,
                                model.name, held.chain.empty() ? ", which has none" : ""));
}

std::vector<pkcs11::Bytes> encoded(const keys::Chain& chain) {
  std::vector<pkcs11::Bytes> encoded;
  for (const keys::Certificate& certificate : chain) encoded.push_back(certificate.der);
  return encoded;
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
    keys::KeyStore store(member.source, pkix);
    for (const keys::Entry& entry : store.entries()) {
      report.aliases.insert(
          {entry.alias,
           {pkcs11::hex(entry.key.reference().id()), entry.key.public_key(), encoded(store.chain(entry))}});
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
    case DifferenceKind::issuers:
      return "issuers";
  }
  return "";
}

bool is_same_token(const pkcs11::TokenInfo& one, const pkcs11::TokenInfo& other) {
  return !one.serial.empty() && one.serial == other.serial && one.label == other.label &&
         one.manufacturer == other.manufacturer && one.model == other.model;
}

std::vector<std::string> members_twice(const std::vector<MemberReport>& reports) {
  std::vector<std::string> sentences;
  for (auto member = reports.begin(); member != reports.end(); ++member) {
    const auto first = std::find_if(reports.begin(), member, [&](const MemberReport& other) {
      return other.error.empty() && member->error.empty() && is_same_token(other.token, member->token);
    });
    if (first == member) continue;
    sentences.push_back(
        fmt::format("{} is the same token as {}, serial {}, and fails together with it: name it once",
                    member->name, first->name, member->token.serial));
  }
  return sentences;
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
