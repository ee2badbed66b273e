#include "native/ha/key_sources.h"

#include <algorithm>
#include <utility>

#include "native/ha/group_source.h"

namespace keystay::ha {
namespace {

std::vector<MemberToken> member_tokens(const config::GroupSettings& settings, const keys::Tokens& tokens) {
  std::vector<MemberToken> members;
  for (const std::string& name : settings.members)
    members.push_back({name, tokens.configuration().tokens.at(name).zone, tokens.source(name)});
  return members;
}

bool same(const std::vector<MemberToken>& left, const std::vector<MemberToken>& right) {
  return std::ranges::equal(left, right, [](const MemberToken& one, const MemberToken& other) {
    return one.name == other.name && one.source == other.source && one.zone == other.zone;
  });
}

std::shared_ptr<GroupSource> group_of(const keys::Tokens& tokens, std::string_view name) {
  return std::dynamic_pointer_cast<GroupSource>(tokens.added(name));
}

}  // namespace

std::unique_ptr<keys::Tokens> key_sources(config::Configuration configuration, config::PinPrompt prompt,
                                          std::optional<keys::WholeModule> whole_module,
                                          const keys::Tokens* before, const Notice& notice,
                                          const Verifier& verifier) {
  auto tokens = std::make_unique<keys::Tokens>(std::move(configuration), std::move(prompt),
                                               std::move(whole_module), before);
  for (const auto& [name, settings] : tokens->configuration().groups) {
    std::vector<MemberToken> members = member_tokens(settings, *tokens);
    std::shared_ptr<GroupSource> source = before ? group_of(*before, name) : nullptr;
    if (!source || source->group().settings() != settings || !same(source->group().tokens(), members))
      source = std::make_shared<GroupSource>(
          std::make_shared<Group>(name, settings, std::move(members), notice, verifier));
    tokens->add(name, std::move(source));
  }
  return tokens;
}

std::optional<GroupDescription> describe_group(const keys::Tokens& tokens, std::string_view name) {
  const auto source = group_of(tokens, name);
  if (!source) return std::nullopt;
  const Group& group = source->group();
  return GroupDescription{group.short_name(), group.settings().min_active, group.tokens(),
                          group.settings().wrapping_key};
}

std::vector<GroupStatus> group_states(const keys::Tokens& tokens) {
  std::vector<GroupStatus> states;
  for (const auto& [name, _] : tokens.configuration().groups) {
    if (const auto source = group_of(tokens, name)) states.push_back(source->group().status());
  }
  return states;
}

}  // namespace keystay::ha
