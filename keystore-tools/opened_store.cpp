#include "keystore-tools/opened_store.h"

#include <cstdio>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "keystore-tools/failure.h"
#include "keystore-tools/opened_group.h"
#include "keystore-tools/terminal.h"
#include "native/config/file.h"
#include "native/config/optional_configuration.h"
#include "native/ha/key_sources.h"
#include "native/keys/tokens.h"
#include "native/pkcs11/uri.h"

namespace keystay::tools {
namespace {

// Of a member of a group that fails while the command runs.
void warn(const std::string& sentence) { fmt::print(stderr, "keystay: {}\n", sentence); }

// A PIN that was given on the command line answers the question for it.
config::PinPrompt prompt(const StoreOptions& options) {
  return [given = options.pin](std::string_view token) {
    if (!given) return ask_pin("PIN of token \"" + std::string(token) + "\": ");
    return given->copy();
  };
}

// "" if the PIN is to come from where the configuration says.
std::string pin_source(const StoreOptions& options) { return options.pin ? "prompt" : options.pin_source; }

config::Configuration configuration(const StoreOptions& options, std::string_view token) {
  const auto file = options.configuration.empty() ? config::configuration_file() : options.configuration;
  config::Configuration configuration = pkcs11::is_pkcs11_uri(token)
                                            ? config::read_optional_configuration(options.configuration)
                                            : config::read_configuration(file);
  if (const std::string source = pin_source(options); !source.empty()) {
    for (auto& [name, settings] : configuration.tokens) settings.pin = source;
  }
  return configuration;
}

// As if the configuration had it as [token.NAME].
config::Configuration with_unsaved(const UnsavedToken& unsaved, const StoreOptions& options) {
  config::TokenSettings settings;
  settings.remote = unsaved.remote;
  settings.label = unsaved.label;
  settings.serial = unsaved.serial;
  settings.pin = pin_source(options);
  if (settings.pin.empty()) settings.pin = "prompt";
  config::Configuration configuration;
  configuration.default_token = config::format_remote_endpoint(unsaved.remote.endpoints.front());
  configuration.tokens.emplace(configuration.default_token, std::move(settings));
  return configuration;
}

std::unique_ptr<keys::Tokens> open_tokens(const std::string& name, const StoreOptions& options) {
  if (!options.unsaved.remote.endpoints.empty())
    return ha::key_sources(with_unsaved(options.unsaved, options), prompt(options));
  return ha::key_sources(configuration(options, name), prompt(options), {}, nullptr, {warn});
}

std::shared_ptr<keys::KeySource> open_source(const std::string& name, const StoreOptions& options) {
  const auto tokens = open_tokens(name, options);
  if (!options.unsaved.remote.endpoints.empty()) return tokens->source(std::string_view());
  if (!pkcs11::is_pkcs11_uri(name)) return tokens->source(std::string_view(name));
  pkcs11::Uri uri = pkcs11::parse_token_uri(name);
  if (const std::string source = pin_source(options); !source.empty()) uri.pin_source = source;
  return tokens->source(uri);
}

// keytool's word for "no file: the token itself".
bool names_a_file(const std::filesystem::path& key_store) {
  return !key_store.empty() && key_store != "NONE";
}

std::string absence(const std::filesystem::path& file) {
  return "the key store file " + file.string() +
         " does not exist; correct its name, or make it by -genkeypair or -importcert (-keystore NONE is the "
         "token itself)";
}

// Before there is an alias for it.
void require_directory(const std::filesystem::path& file) {
  const auto directory = file.has_parent_path() ? file.parent_path() : std::filesystem::path(".");
  std::error_code unreadable;
  if (std::filesystem::is_directory(directory, unreadable)) return;
  throw Failure("the key store file " + file.string() + " cannot be made: " + directory.string() +
                " is no directory that can be entered");
}

// As the options name it; `made` is called if it comes to be made.
keys::KeptFile kept_file(const StoreOptions& options, MissingKeyStore missing, std::function<void()> made) {
  const std::filesystem::path& file = options.key_store;
  if (!names_a_file(file)) return keys::KeptFile::of_token(options.token);
  if (!config::is_absent(file)) return keys::KeptFile::on_disk(file);
  if (missing == MissingKeyStore::refused) throw Failure(absence(file));
  require_directory(file);
  return keys::KeptFile::to_be_made(file, options.token, absence(file), std::move(made));
}

std::string token_of(const config::KeyStoreFile& content, const StoreOptions& options) {
  if (options.token.empty() || content.token == options.token) return content.token;
  throw Failure("the key store file " + options.key_store.string() + " is for token \"" + content.token +
                "\", not for \"" + options.token + "\"; leave -token out, or name another file");
}

}  // namespace

OpenedStore::OpenedStore(const StoreOptions& options, MissingKeyStore missing)
    : file_(kept_file(options, missing, [this, file = options.key_store] { report_made(file); })),
      keys_(open_source(token_of(file_.content(), options), options), pkix_),
      aliases_(keys_, file_) {}

void OpenedStore::require_import(const StoreOptions& options) const {
  const std::string token = token_of(file_.content(), options);
  if (pkcs11::is_pkcs11_uri(token)) {
    throw Failure(
        "a token that a URI names takes no keys that were made elsewhere; give it a section in the "
        "configuration, with import = \"allow\"");
  }
  const config::Configuration settings = configuration(options, token);
  const std::string& name = token.empty() ? settings.default_token : token;
  const auto group = settings.groups.find(name);
  const std::vector<std::string> members =
      group == settings.groups.end() ? std::vector<std::string>{name} : group->second.members;
  for (const std::string& member : members) {
    const auto known = settings.tokens.find(member);
    if (known == settings.tokens.end() || known->second.key_import == config::KeyImport::allowed) continue;
    throw Failure("token \"" + member +
                  "\" takes no keys that were made elsewhere, since such a key was not always "
                  "in the HSM; where that is what you want, write import = \"allow\" into [token." +
                  member + "] of " + settings.file.string() + ", and take it out again afterwards");
  }
}

void OpenedStore::report_made(const std::filesystem::path& file) {
  fmt::print(stderr, "keystay: note: made the key store file {}, with all aliases of {}\n", file.string(),
             keys_.source().name());
}

std::unique_ptr<keys::Tokens> open_tokens(const StoreOptions& options) {
  return open_tokens(options.token, options);
}

ha::GroupDescription group_of(const keys::Tokens& tokens, const StoreOptions& options) {
  const std::string& name = options.token.empty() ? tokens.configuration().default_token : options.token;
  if (auto group = ha::describe_group(tokens, name)) return *std::move(group);
  std::string known;
  for (const auto& [group, _] : tokens.configuration().groups) known += (known.empty() ? "" : ", ") + group;
  throw Failure((name.empty() ? std::string("no group is named") : "\"" + name + "\" is no group") +
                (known.empty() ? "; add a [group.NAME] to " + tokens.configuration().file.string()
                               : "; name one with -token: " + known));
}

ha::GroupDescription open_group(const StoreOptions& options) {
  return group_of(*open_tokens(options), options);
}

}  // namespace keystay::tools
