#include "native/remote/relay_protocol.h"

#include <charconv>
#include <stdexcept>

namespace keystay::remote {
namespace {

std::chrono::milliseconds milliseconds(std::string_view text) {
  long count = 0;
  std::from_chars(text.data(), text.data() + text.size(), count);
  return std::chrono::milliseconds(count);
}

void set(config::RemoteSettings& settings, std::string_view key, std::string_view value) {
  if (key == "endpoint") {
    const auto endpoint = config::parse_remote_endpoint(value);
    if (!endpoint) throw std::invalid_argument("endpoint " + std::string(value));
    settings.endpoints.push_back(*endpoint);
  } else if (key == "ca") {
    settings.ca = value;
  } else if (key == "certificate") {
    settings.certificate = value;
  } else if (key == "key") {
    settings.key = value;
  } else if (key == "pkcs12") {
    settings.pkcs12 = value;
  } else if (key == "host") {
    settings.host = value;
  } else if (key == "connect-timeout") {
    settings.connect_timeout = milliseconds(value);
  }
}

}  // namespace

std::string format_relay_settings(const config::RemoteSettings& settings) {
  std::string text;
  const auto line = [&](std::string_view key, const std::string& value) {
    text.append(key).append(" ").append(value).append("\n");
  };
  for (const config::RemoteEndpoint& endpoint : settings.endpoints)
    line("endpoint", config::format_remote_endpoint(endpoint));
  line("ca", settings.ca.string());
  line("certificate", settings.certificate.string());
  line("key", settings.key.string());
  line("pkcs12", settings.pkcs12.string());
  line("host", settings.host);
  line("connect-timeout", std::to_string(settings.connect_timeout.count()));
  return text;
}

config::RemoteSettings parse_relay_settings(std::string_view text) {
  config::RemoteSettings settings;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text = end == text.npos ? std::string_view() : text.substr(end + 1);
    const std::size_t blank = line.find(' ');
    if (blank == line.npos) throw std::invalid_argument("line without a value");
    set(settings, line.substr(0, blank), line.substr(blank + 1));
  }
  return settings;
}

std::string format_reached(const Reached& reached) {
  return "+" + std::to_string(reached.version) + " " + reached.endpoint;
}

std::optional<Reached> parse_reached(std::string_view line) {
  if (line.size() < 3 || line[0] != '+' || line[1] < '0' || line[1] > '2' || line[2] != ' ')
    return std::nullopt;
  return Reached{line[1] - '0', std::string(line.substr(3))};
}

}  // namespace keystay::remote
