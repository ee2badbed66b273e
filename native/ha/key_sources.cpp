#include "native/ha/key_sources.h"

#include <utility>

#include "native/ha/group_source.h"

namespace keystay::ha {
namespace {

std::shared_ptr<GroupSource> group_of(const keys::Tokens& tokens, std::string_view name) {
  return std::dynamic_pointer_cast<GroupSource>(tokens.added(name));
}

}  // namespace

std::unique_ptr<keys::Tokens> key_sources(config::Configuration configuration, config::PinPrompt prompt,
                                          std::optional<keys::WholeModule> whole_module,
                                          const keys::Tokens* before, const GroupServices& services) {
  auto tokens =
      std::make_unique<keys::Tokens>(std::move(configuration), prompt, std::move(whole_module), before);
  for (const auto& [name, _] : tokens->configuration().groups) {
    GroupMakeup makeup = makeup_of(name, *tokens);
    std::shared_ptr<GroupSource> source = before ? group_of(*before, name) : nullptr;
    if (!source || *source->group().makeup() != makeup) {
      auto file = services.reader ? std::make_unique<FollowedFile>(name, services.reader, prompt,
                                                                   services.notice, *tokens)
                                  : nullptr;
      source = std::make_shared<GroupSource>(std::make_shared<Group>(name, std::move(makeup), std::move(file),
                                                                     services.notice, services.verifier));
    }
    tokens->add(name, std::move(source));
  }
  return tokens;
}

std::optional<GroupDescription> describe_group(const keys::Tokens& tokens, std::string_view name) {
  const auto source = group_of(tokens, name);
  if (!source) return std::nullopt;
  const Group& group = source->group();
  const auto makeup = group.makeup();
  return GroupDescription{group.short_name(), makeup->settings.min_active, makeup->tokens,
                          makeup->settings.wrapping_key};
}

std::vector<GroupStatus> group_states(const keys::Tokens& tokens) {
  std::vector<GroupStatus> states;
  for (const auto& [name, _] : tokens.configuration().groups) {
    if (const auto source = group_of(tokens, name)) states.push_back(source->group().status());
  }
  return states;
}

}  // namespace keystay::ha
