#include "keystore-tools/keytool_form.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <string_view>

#include <string.h>

#include "keystore-tools/failure.h"

namespace keystay::tools {
namespace {

struct CommandName {
  std::string_view written;
  std::string_view name;
};

// keytool's own older names are among them.
constexpr std::array kCommands = std::to_array<CommandName>({{"genkeypair", "genkeypair"},
                                                             {"genkey", "genkeypair"},
                                                             {"certreq", "certreq"},
                                                             {"importcert", "importcert"},
                                                             {"import", "importcert"},
                                                             {"list", "list"},
                                                             {"exportcert", "exportcert"},
                                                             {"export", "exportcert"},
                                                             {"delete", "delete"},
                                                             {"changealias", "changealias"},
                                                             {"exportref", "exportref"},
                                                             {"cleanup", "cleanup"},
                                                             {"test", "test"},
                                                             {"groupadd", "groupadd"},
                                                             {"groupdiff", "groupdiff"},
                                                             {"groupinit", "groupinit"},
                                                             {"grouppromote", "grouppromote"},
                                                             {"groupremove", "groupremove"},
                                                             {"groupreorder", "groupreorder"},
                                                             {"groupstatus", "groupstatus"},
                                                             {"groupsync", "groupsync"},
                                                             {"grouptest", "grouptest"},
                                                             {"remoteenrol", "remoteenrol"},
                                                             {"slots", "slots"},
                                                             {"tokens", "tokens"},
                                                             {"mechanisms", "mechanisms"},
                                                             {"init-token", "init-token"},
                                                             {"init-pin", "init-pin"},
                                                             {"change-pin", "change-pin"},
                                                             {"unblock-pin", "unblock-pin"},
                                                             {"rotate", "rotate"},
                                                             {"renew", "renew"},
                                                             {"deactivate", "deactivate"},
                                                             {"activate", "activate"},
                                                             {"retire", "retire"},
                                                             {"audit", "audit"},
                                                             {"acmeissue", "acmeissue"},
                                                             {"acmerenew", "acmerenew"},
                                                             {"gencert", "gencert"},
                                                             {"gencrl", "gencrl"},
                                                             {"genseckey", "genseckey"},
                                                             {"importseckey", "importseckey"},
                                                             {"encrypt", "encrypt"},
                                                             {"decrypt", "decrypt"},
                                                             {"mac", "mac"},
                                                             {"verify-mac", "verify-mac"},
                                                             {"importkeystore", "importkeystore"},
                                                             {"importpass", "importpass"},
                                                             {"keypasswd", "keypasswd"},
                                                             {"printcert", "printcert"},
                                                             {"printcertreq", "printcertreq"},
                                                             {"printcrl", "printcrl"},
                                                             {"showinfo", "showinfo"},
                                                             {"storepasswd", "change-pin"},
                                                             {"help", "help"}});

std::string lower_case(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return result;
}

// An option begins with a dash and a letter.
bool is_option(std::string_view argument) {
  argument.remove_prefix(std::min(argument.find_first_not_of('-'), argument.size()));
  return !argument.empty() && std::isalpha(static_cast<unsigned char>(argument.front())) != 0;
}

bool has_dash(std::string_view argument) { return argument.starts_with('-'); }

// keytool's "-J-Xmx64m", for the machine that runs it.
bool is_for_java(std::string_view argument) { return argument.starts_with("-J") && argument.size() > 2; }

// "-Storepass:file" and "--storepass-file=F": the name in small letters, without dashes before it.
struct Option {
  std::string name;
  std::optional<std::string_view> value;
};

Option split(std::string_view argument) {
  argument.remove_prefix(argument.find_first_not_of('-'));
  const std::size_t equals = argument.find('=');
  Option option{lower_case(argument.substr(0, equals)), std::nullopt};
  if (equals != std::string_view::npos) option.value = argument.substr(equals + 1);
  std::ranges::replace(option.name, ':', '-');  // keytool's "-storepass:file"
  return option;
}

// Without the value that is joined to it.
std::string_view as_it_stands(std::string_view argument) { return argument.substr(0, argument.find('=')); }

bool is_name_character(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; }

// "storepass-file" is keytool's -storepass:file; other secrets are written in the same way.
std::string keytools_name(std::string_view name) {
  std::string result = "-" + std::string(name);
  const std::size_t dash = result.rfind('-');
  const std::string_view secret = std::string_view(result).substr(0, dash);
  const bool has_source = name.ends_with("-file") || name.ends_with("-env");
  if (has_source && (secret.ends_with("pass") || secret.ends_with("pin") || secret == "-new"))
    result[dash] = ':';
  return result;
}

// What a secret among the arguments is for.
enum class Secret {
  pin,       // of the token
  password,  // of a file
  new_pin,   // which no command takes from there
  unused,    // keytool wants one for every key; a token has one PIN for all
};

struct SecretName {
  std::string_view option;
  Secret secret;
};
constexpr std::array kSecrets = std::to_array<SecretName>({{"storepass", Secret::pin},
                                                           {"deststorepass", Secret::pin},
                                                           {"srcstorepass", Secret::password},
                                                           {"srckeypass", Secret::password},
                                                           {"new", Secret::new_pin},
                                                           {"keypass", Secret::unused},
                                                           {"destkeypass", Secret::unused},
                                                           {"signerkeypass", Secret::unused}});

std::optional<std::string_view> command_name(std::string_view written) {
  const std::string lower = lower_case(written);
  const auto* found = std::ranges::find(kCommands, lower, &CommandName::written);
  return found == kCommands.end() ? std::nullopt : std::optional(found->name);
}

class Translation final {
 public:
  Translation(std::span<char*> arguments, const std::function<bool(std::string_view)>& takes_value)
      : arguments_(arguments), takes_value_(takes_value) {}

  GnuForm translate() {
    if (!arguments_.empty()) {
      const std::string_view first = arguments_.front();
      result_.is_keytools = is_option(first) && first.starts_with('-') && !first.starts_with("--");
    }
    for (; position_ < arguments_.size(); ++position_) take(arguments_[position_]);
    if (command_) result_.arguments.insert(result_.arguments.begin(), std::string(*command_));
    return std::move(result_);
  }

 private:
  void take(char* argument) {
    if (is_for_java(argument)) return;
    if (!has_dash(argument) || !is_option(argument)) return take_word(argument);
    const Option option = split(argument);
    result_.written.try_emplace(option.name, as_it_stands(argument));
    if (const auto* known = std::ranges::find(kSecrets, option.name, &SecretName::option);
        known != kSecrets.end()) {
      return take_secret(argument, option, known->secret);
    }
    const auto command = option.value ? std::nullopt : command_name(option.name);
    if (command && !command_) {
      command_ = command;
      return;
    }
    result_.arguments.push_back("--" + option.name);
    if (!option.value && !takes_value_(option.name)) return;
    const char* value = value_of(argument, option);
    if (*value == '\0')
      throw UsageError("option " + written(option) + " has an empty value; leave it out, or name something");
    result_.arguments.back().append("=").append(value);
  }

  // A bare word is the command only where GNU has it, in the first place; else it is a value.
  void take_word(const char* argument) {
    const std::string first = lower_case(argument);
    if (position_ == 0 && arguments_.size() > 1 &&
        (first == "group" || first == "remote" || first == "acme")) {
      command_ = command_name(first + arguments_[1]);  // "group status" is groupstatus
      if (command_) {
        ++position_;
        return;
      }
    }
    if (position_ == 0) command_ = command_name(argument);
    if (position_ != 0 || !command_) result_.arguments.emplace_back(argument);
  }

  void take_secret(char* argument, const Option& option, Secret kind) {
    char* value = value_of(argument, option);
    const bool second = (kind == Secret::pin && result_.pin) || result_.passwords.contains(option.name);
    const bool empty = *value == '\0';
    if (kind == Secret::pin && !second) result_.pin.emplace(std::string_view(value), "-storepass");
    if (kind == Secret::password && !second)
      result_.passwords.emplace(option.name, pkcs11::Pin(value, "-" + option.name));
    ::explicit_bzero(value, ::strlen(value));
    if (kind == Secret::new_pin) {
      throw UsageError("a command line is no place for a new PIN; write " + written(option) +
                       ":file FILE or " + written(option) + ":env NAME, or be asked for it");
    }
    if (second) {
      throw UsageError(written(option) + " stands twice" +
                       (kind == Secret::pin ? "; a token has one PIN" : ""));
    }
    if (empty) throw UsageError("option " + written(option) + " has an empty value");
  }

  // The value that is joined to the option, or the next argument.
  char* value_of(char* argument, const Option& option) {
    if (option.value) return argument + (std::string_view(argument).size() - option.value->size());
    if (position_ + 1 < arguments_.size()) return arguments_[++position_];
    throw UsageError("option " + written(option) + " needs a value");
  }

  [[nodiscard]] const std::string& written(const Option& option) const {
    return result_.written.at(option.name);
  }

  std::span<char*> arguments_;
  const std::function<bool(std::string_view)>& takes_value_;
  std::size_t position_ = 0;
  std::optional<std::string_view> command_;
  GnuForm result_;
};

}  // namespace

GnuForm to_gnu_form(std::span<char*> arguments, const std::function<bool(std::string_view)>& takes_value) {
  return Translation(arguments, takes_value).translate();
}

std::string as_written(std::string_view message, const GnuForm& form) {
  std::string result;
  for (std::size_t at = 0; at < message.size();) {
    const bool begins_word = at == 0 || !is_name_character(message[at - 1]);
    const auto* const name = message.begin() + at + 2;
    const auto* const end = begins_word && message.substr(at).starts_with("--")
                                ? std::find_if_not(name, message.end(), is_name_character)
                                : name;
    if (end <= name) {
      result.push_back(message[at++]);
      continue;
    }
    const std::string_view option(name, static_cast<std::size_t>(end - name));
    if (const auto known = form.written.find(option); known != form.written.end()) {
      result += known->second;
    } else {
      result += form.is_keytools ? keytools_name(option) : "--" + std::string(option);
    }
    at = static_cast<std::size_t>(end - message.begin());
  }
  return result;
}

}  // namespace keystay::tools
