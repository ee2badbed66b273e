#include "provider/configuration/cnf_file.h"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <set>
#include <string_view>
#include <system_error>
#include <utility>

#include <openssl/bio.h>
#include <openssl/conf.h>
#include <openssl/core_names.h>
#include <stdlib.h>

#include "native/config/file.h"
#include "native/x509/error_mark.h"
#include "native/x509/openssl_types.h"

namespace keystay::provider {
namespace {

using Configuration = x509::Owned<CONF, NCONF_free>;

// Sections belong to the configuration.
const STACK_OF(CONF_VALUE) * section(const CONF* configuration, const char* name) {
  return name ? NCONF_get_section(configuration, name) : nullptr;
}

const char* value(const CONF* configuration, const char* section_name, const char* name) {
  return NCONF_get_string(configuration, section_name, name);
}

// libcrypto takes what follows a dot for the name of a provider, and `identity` for a better one.
std::string_view provider_name(const CONF* configuration, const CONF_VALUE& entry) {
  if (const char* identity = value(configuration, entry.value, "identity")) return identity;
  const std::string_view name = entry.name;
  return name.substr(name.find('.') + 1);
}

const char* section_of(const CONF* configuration, std::string_view provider) {
  const char* init = value(configuration, nullptr, "openssl_conf");
  const auto* providers = section(configuration, init ? value(configuration, init, "providers") : nullptr);
  for (int i = 0; i < sk_CONF_VALUE_num(providers); ++i) {
    const CONF_VALUE& entry = *sk_CONF_VALUE_value(providers, i);
    if (provider_name(configuration, entry) == provider) return entry.value;
  }
  return nullptr;
}

constexpr std::string_view kBlanks = " \t\r";
constexpr std::string_view kInclude = ".include";

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(kBlanks);
  if (begin == text.npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

// Whether a backslash at its end, which no other one escapes, joins the next line to this one.
bool goes_on(std::string_view line) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  const std::size_t last = line.find_last_not_of('\\');
  return (line.size() - (last == line.npos ? 0 : last + 1)) % 2 == 1;
}

constexpr int kMostIncludes = 16;  // in one another

// The lines of a configuration, as far as they say which names stand in which section.
class SectionNames final {
 public:
  SectionNames(std::string_view section, const ReadIncluded& read_included)
      : section_(section), read_included_(read_included) {}

  void read_text(std::string_view text, int depth = 0) {
    while (!text.empty()) {
      const std::string_view line = text.substr(0, text.find('\n'));
      text.remove_prefix(std::min(line.size() + 1, text.size()));
      read(line, depth);
    }
  }

  [[nodiscard]] std::vector<std::string> doubled() && { return std::move(doubled_); }

 private:
  void read(std::string_view line, int depth) {
    const bool is_rest = std::exchange(continues_, goes_on(line));
    line = trimmed(line);
    if (is_rest || line.empty() || line.front() == '#') return;
    if (line.front() == '[') {
      current_ = trimmed(line.substr(1, line.find(']') - 1));
    } else if (line.starts_with(kInclude)) {
      include(line.substr(kInclude.size()), depth);
    } else if (const std::size_t equals = line.find('='); equals != line.npos) {
      take(trimmed(line.substr(0, equals)));
    }
  }

  void include(std::string_view value, int depth) {
    value = trimmed(value);
    if (value.starts_with('=')) value = trimmed(value.substr(1));
    if (!read_included_ || depth == kMostIncludes) return;
    for (const std::string& text : read_included_(value)) read_text(text, depth + 1);
  }

  // A name may have its section before it.
  void take(std::string_view name) {
    const std::size_t colons = name.find("::");
    const std::string_view section = colons == name.npos ? current_ : name.substr(0, colons);
    if (section != section_) return;
    if (colons != name.npos) name.remove_prefix(colons + 2);
    if (!name.empty() && !names_.emplace(name).second && std::ranges::find(doubled_, name) == doubled_.end())
      doubled_.emplace_back(name);
  }

  std::string_view section_;
  const ReadIncluded& read_included_;
  std::string current_ = "default";
  bool continues_ = false;
  std::set<std::string, std::less<>> names_;
  std::vector<std::string> doubled_;
};

// The variables of the default section, once more: each character of a value that means something escaped.
std::string default_variables(const CONF* configuration) {
  std::string lines;
  const auto* entries = section(configuration, "default");
  for (int i = 0; i < sk_CONF_VALUE_num(entries); ++i) {
    const CONF_VALUE& entry = *sk_CONF_VALUE_value(entries, i);
    lines.append(entry.name).append(" = ");
    for (const char c : std::string_view(entry.value)) {
      const bool is_plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
      if (static_cast<unsigned char>(c) < 0x20) continue;
      lines.append(is_plain ? "" : "\\").push_back(c);
    }
    lines.push_back('\n');
  }
  return lines;
}

// With its variables and quotes as libcrypto reads them.
std::filesystem::path included_path(const CONF* configuration, std::string_view value) {
  const std::string lines =
      default_variables(configuration) + "[keystay included]\npath = " + std::string(value) + "\n";
  const x509::Owned<BIO, BIO_free> bio(BIO_new_mem_buf(lines.data(), static_cast<int>(lines.size())));
  const Configuration evaluated(NCONF_new(nullptr));
  long line = 0;
  if (!bio || !evaluated || NCONF_load_bio(evaluated.get(), bio.get(), &line) != 1) return {};
  const char* path = NCONF_get_string(evaluated.get(), "keystay included", "path");
  if (!path) return {};
  const char* directory = ::secure_getenv("OPENSSL_CONF_INCLUDE");
  return directory ? std::filesystem::path(directory) / path : std::filesystem::path(path);
}

// What cannot be read, libcrypto has not read either.
std::vector<std::string> read_included(const CONF* configuration, std::string_view value) {
  const std::filesystem::path path = included_path(configuration, value);
  std::error_code ignored;
  std::vector<std::filesystem::path> files;
  if (std::filesystem::is_directory(path, ignored)) {
    for (const auto& file : std::filesystem::directory_iterator(path, ignored)) {
      const std::string extension = file.path().extension().string();
      if (extension == ".cnf" || extension == ".conf") files.push_back(file.path());
    }
  } else if (std::filesystem::is_regular_file(path, ignored)) {
    files.push_back(path);
  }
  std::vector<std::string> texts;
  texts.reserve(files.size());
  for (const std::filesystem::path& file : files) texts.push_back(config::read_file(file));
  return texts;
}

}  // namespace

std::vector<std::string> doubled_names(std::string_view text, std::string_view section,
                                       const ReadIncluded& read_included) {
  SectionNames names(section, read_included);
  names.read_text(text);
  return std::move(names).doubled();
}

CnfFile read_cnf_file(const Core& core) {
  const x509::ErrorMark a_missing_file_is_no_error;
  const std::unique_ptr<char, x509::OpensslFree> path(CONF_get1_default_config_file());
  const Configuration configuration(NCONF_new(nullptr));
  long line = 0;
  if (!path || !configuration || NCONF_load(configuration.get(), path.get(), &line) != 1) return {};
  const char* name = section_of(configuration.get(), core.parameter(OSSL_PROV_PARAM_CORE_PROV_NAME));
  const auto* entries = section(configuration.get(), name);
  if (!entries) return {};

  CnfFile file{std::string(path.get()) + ": [" + name + "]", {}, {}};
  for (int i = 0; i < sk_CONF_VALUE_num(entries); ++i) {
    const CONF_VALUE& entry = *sk_CONF_VALUE_value(entries, i);
    // An application may have read another file: what libcrypto does not know is of no interest.
    if (core.parameter(entry.name) == entry.value) file.names.emplace_back(entry.name);
  }
  // Nor are the lines of a file that another one was read in the place of.
  if (file.names.size() == static_cast<std::size_t>(sk_CONF_VALUE_num(entries)))
    file.doubled = doubled_names(config::read_file(path.get()), name, [&](std::string_view value) {
      return read_included(configuration.get(), value);
    });
  return file;
}

}  // namespace keystay::provider
