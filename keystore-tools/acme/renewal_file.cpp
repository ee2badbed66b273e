#include "keystore-tools/acme/renewal_file.h"

#include <algorithm>
#include <system_error>
#include <utility>

#include "keystore-tools/failure.h"
#include "native/config/error.h"
#include "native/config/file.h"
#include "native/config/table_reader.h"
#include "native/config/toml_document.h"

namespace keystay::tools::acme {
namespace {

using config::TableReader;

constexpr mode_t kReadableByAll = 0644;
constexpr char kHead[] =
    "# Certificates that \"keystay acme renew\" renews. \"keystay acme issue\" writes this file anew;\n"
    "# a certificate whose section is taken out is not renewed any more.\n";

Renewal read_certificate(const TableReader& table) {
  table.allow({"alias", "token", "keystore", "directory", "account", "ca-file", "http-port", "webroot",
               "dns-hook", "dname", "ext", "sigalg", "deploy-hook"});
  const auto text = [&](std::string_view key) { return table.text(key).value_or(""); };
  return {.alias = table.required_text("alias", "httpd"),
          .token = text("token"),
          .key_store = text("keystore"),
          .acme = {.directory = table.required_text("directory", "https://ca.example/directory"),
                   .account = table.text("account").value_or(kDefaultAccount),
                   .authorities = text("ca-file"),
                   .http_port = text("http-port"),
                   .webroot = text("webroot"),
                   .dns_hook = text("dns-hook")},
          .wanted = {.distinguished_name = text("dname"),
                     .extensions = table.texts("ext").value_or(std::vector<std::string>()),
                     .signature_algorithm = text("sigalg")},
          .deploy_hook = text("deploy-hook")};
}

class Writer final {
 public:
  void write(std::string_view key, std::string_view value) {
    if (!value.empty()) text_ += std::string(key) + " = " + config::toml_string(value) + "\n";
  }
  void write(std::string_view key, const std::vector<std::string>& values) {
    if (values.empty()) return;
    std::string list;
    for (const std::string& value : values) list += (list.empty() ? "" : ", ") + config::toml_string(value);
    text_ += std::string(key) + " = [" + list + "]\n";
  }
  void begin() { text_ += "\n[[certificate]]\n"; }
  [[nodiscard]] std::string take() { return std::move(text_); }

 private:
  std::string text_ = kHead;
};

bool is_same_alias(const Renewal& a, const Renewal& b) {
  return a.alias == b.alias && a.token == b.token && a.key_store == b.key_store;
}

std::string with(const std::string& toml, const std::filesystem::path& file, const Renewal& renewal) {
  std::vector<Renewal> renewals = parse_renewals(toml, file);
  const auto there =
      std::ranges::find_if(renewals, [&](const Renewal& other) { return is_same_alias(other, renewal); });
  if (there == renewals.end()) {
    renewals.push_back(renewal);
  } else if (*there == renewal) {
    return toml;
  } else {
    *there = renewal;
  }
  return format_renewals(renewals);
}

}  // namespace

std::filesystem::path default_renewal_file(const std::filesystem::path& configuration) {
  return configuration.parent_path() / "acme.toml";
}

std::vector<Renewal> parse_renewals(std::string_view toml, const std::filesystem::path& file) {
  const config::TomlTable content = config::parse_toml(toml, file);
  const TableReader document(content, "", 1, file);
  document.allow({"certificate"});
  std::vector<Renewal> renewals;
  for (const TableReader& table : document.tables("certificate")) renewals.push_back(read_certificate(table));
  return renewals;
}

std::vector<Renewal> read_renewals(const std::filesystem::path& file) {
  if (config::is_absent(file)) return {};
  try {
    return parse_renewals(config::read_file(file), file);
  } catch (const std::system_error& error) {
    throw Failure("cannot read " + file.string() + ": " + error.code().message());
  }
}

std::string format_renewals(const std::vector<Renewal>& renewals) {
  Writer writer;
  for (const Renewal& renewal : renewals) {
    writer.begin();
    writer.write("alias", renewal.alias);
    writer.write("token", renewal.token);
    writer.write("keystore", renewal.key_store.native());
    writer.write("directory", renewal.acme.directory);
    writer.write("account", renewal.acme.account);
    writer.write("ca-file", renewal.acme.authorities.native());
    writer.write("http-port", renewal.acme.http_port);
    writer.write("webroot", renewal.acme.webroot.native());
    writer.write("dns-hook", renewal.acme.dns_hook.native());
    writer.write("dname", renewal.wanted.distinguished_name);
    writer.write("ext", renewal.wanted.extensions);
    writer.write("sigalg", renewal.wanted.signature_algorithm);
    writer.write("deploy-hook", renewal.deploy_hook.native());
  }
  return writer.take();
}

void record_renewal(const std::filesystem::path& file, const Renewal& renewal) {
  try {
    if (config::is_absent(file)) return config::create_file(file, format_renewals({renewal}), kReadableByAll);
    config::change_file(file, [&](const std::string& toml) { return with(toml, file, renewal); });
  } catch (const std::system_error& error) {
    throw Failure("cannot write " + file.string() + ": " + error.code().message());
  } catch (const config::Error& error) {
    throw Failure(std::string("the renewal is not recorded: ") + error.what());
  }
}

}  // namespace keystay::tools::acme
