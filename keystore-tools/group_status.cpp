#include "keystore-tools/group_status.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <utility>
#include <vector>

#include <boost/json.hpp>
#include <fmt/core.h>

#include "keystore-tools/failure.h"
#include "keystore-tools/file_argument.h"
#include "keystore-tools/opened_group.h"
#include "native/ha/key_sources.h"
#include "native/keys/key_store.h"
#include "native/pkcs11/error.h"
#include "native/pkcs11/text.h"
#include "native/pkcs11/unicode.h"
#include "native/x509/openssl_pkix.h"

namespace keystay::tools {
namespace {

using std::chrono::steady_clock;

// What a member holds under one name. Two members agree on an alias if they have the same key and
// certificate.
struct Held {
  std::string id;
  pkcs11::PublicKey key;
  pkcs11::Bytes certificate;  // DER; empty: none
};

struct Answer {
  std::string name;
  std::string zone;
  std::string role;   // "active", "stands by", "fails"
  std::string error;  // why it fails
  std::chrono::milliseconds took{0};
  pkcs11::TokenInfo token;
  std::map<std::string, Held, std::less<>> aliases;
};

Answer ask(const ha::MemberToken& member, const keys::Pkix& pkix) {
  Answer answer;
  answer.name = member.name;
  answer.zone = member.zone;
  const auto begin = steady_clock::now();
  try {
    member.source->recover();
    answer.token = member.source->info();
    for (const keys::Entry& entry : keys::KeyStore(member.source, pkix).entries()) {
      answer.aliases.insert({entry.alias,
                             {pkcs11::hex(entry.key.reference().id()), entry.key.public_key(),
                              entry.leaf ? entry.leaf->der : pkcs11::Bytes{}}});
    }
  } catch (const pkcs11::Error& error) {
    answer.error = error.what();
  }
  answer.took = std::chrono::duration_cast<std::chrono::milliseconds>(steady_clock::now() - begin);
  return answer;
}

void give_roles(std::vector<Answer>& answers, std::size_t min_active) {
  std::size_t active = 0;
  for (Answer& answer : answers) {
    answer.role = !answer.error.empty() ? "fails" : active < min_active ? "active" : "stands by";
    active += answer.error.empty() ? 1 : 0;
  }
}

// What is not the same on all members that answer: one sentence each.
std::vector<std::string> differences(const std::vector<Answer>& answers) {
  std::map<std::string, std::pair<const Answer*, const Held*>, std::less<>> first;
  for (const Answer& answer : answers) {
    for (const auto& [alias, held] : answer.aliases) first.try_emplace(alias, &answer, &held);
  }
  std::vector<std::string> found;
  for (const auto& [alias, model] : first) {
    const auto& [where, held] = model;
    for (const Answer& answer : answers) {
      if (!answer.error.empty() || &answer == where) continue;
      const std::string name = pkcs11::printable(alias);
      const auto other = answer.aliases.find(alias);
      if (other == answer.aliases.end()) {
        found.push_back(fmt::format("{} lacks \"{}\", which {} has", answer.name, name, where->name));
      } else if (other->second.key != held->key) {
        found.push_back(
            fmt::format("{} has another key under \"{}\" than {}", answer.name, name, where->name));
      } else if (other->second.id != held->id) {
        found.push_back(fmt::format("{} has \"{}\" with the CKA_ID {}, {} with {}", answer.name, name,
                                    other->second.id, where->name, held->id));
      } else if (other->second.certificate != held->certificate) {
        found.push_back(
            fmt::format("{} has another certificate for \"{}\" than {}", answer.name, name, where->name));
      }
    }
  }
  return found;
}

std::string in_json(const ha::GroupDescription& group, const std::vector<Answer>& answers,
                    const std::vector<std::string>& differing) {
  boost::json::array members;
  for (const Answer& answer : answers) {
    boost::json::array aliases;
    for (const auto& [alias, held] : answer.aliases) {
      aliases.push_back({{"alias", alias}, {"id", held.id}, {"certificate", !held.certificate.empty()}});
    }
    boost::json::object member{{"name", answer.name},
                               {"zone", answer.zone},
                               {"role", answer.role},
                               {"label", answer.token.label},
                               {"serial", answer.token.serial},
                               {"model", answer.token.model},
                               {"milliseconds", answer.took.count()},
                               {"aliases", std::move(aliases)}};
    if (!answer.error.empty()) member["error"] = answer.error;
    members.push_back(std::move(member));
  }
  boost::json::array sentences;
  for (const std::string& sentence : differing) sentences.emplace_back(sentence);
  return boost::json::serialize(boost::json::object{{"group", group.name},
                                                    {"min-active", group.min_active},
                                                    {"members", std::move(members)},
                                                    {"differences", std::move(sentences)}}) +
         "\n";
}

std::string in_text(const ha::GroupDescription& group, const std::vector<Answer>& answers,
                    const std::vector<std::string>& differing) {
  std::size_t widest = 0;
  for (const Answer& answer : answers) widest = std::max(widest, answer.name.size());
  std::string text = fmt::format("Group \"{}\": {} member{}, {} active at a time\n", group.name,
                                 answers.size(), answers.size() == 1 ? "" : "s", group.min_active);
  for (const Answer& answer : answers) {
    text += fmt::format("  {:<{}}  {:<9}  ", answer.name, widest, answer.role);
    text += answer.error.empty()
                ? fmt::format("{} key{}, serial {}, answered in {} ms{}\n", answer.aliases.size(),
                              answer.aliases.size() == 1 ? "" : "s", answer.token.serial, answer.took.count(),
                              answer.zone.empty() ? "" : ", zone " + answer.zone)
                : answer.error + "\n";
  }
  for (const std::string& sentence : differing) text += "  " + sentence + "\n";
  return text;
}

}  // namespace

void GroupStatus::run(const StoreOptions& options) const {
  const x509::OpenSslPkix pkix;
  const ha::GroupDescription group = open_group(options);
  std::vector<Answer> answers;
  for (const ha::MemberToken& member : group.members) answers.push_back(ask(member, pkix));
  give_roles(answers, group.min_active);
  const std::vector<std::string> differing = differences(answers);
  write_output(
      {}, form == OutputForm::json ? in_json(group, answers, differing) : in_text(group, answers, differing));
  const auto failing =
      std::ranges::count_if(answers, [](const Answer& answer) { return !answer.error.empty(); });
  if (failing != 0) throw Failure(fmt::format("{} of {} members cannot be used", failing, answers.size()));
  if (!differing.empty()) throw Failure("the members do not have the same; bring to each what it lacks");
}

}  // namespace keystay::tools
