#include "tlsd/access_log/access_format.h"

#include <array>
#include <ctime>
#include <iterator>

#include <arpa/inet.h>
#include <fmt/format.h>

#include "tlsd/json_writer.h"

namespace keystay::tlsd {
namespace {

using std::chrono::system_clock;

// A second, written out; each thread has the last one that it wrote.
struct WrittenSecond {
  std::time_t second = -1;
  std::array<char, 40> text{};
};

using BreakDown = std::tm* (*)(const std::time_t*, std::tm*);

void append_second(std::string& out, std::time_t second, WrittenSecond& written, const char* form,
                   BreakDown break_down) {
  if (written.second != second) {
    std::tm parts{};
    break_down(&second, &parts);
    if (std::strftime(written.text.data(), written.text.size(), form, &parts) == 0) return;
    written.second = second;
  }
  out.append(written.text.data());
}

// The names of months are English: keystay-tlsd never calls setlocale().
void append_common_time(std::string& out, system_clock::time_point time) {
  thread_local WrittenSecond written;
  append_second(out, system_clock::to_time_t(time), written, "%d/%b/%Y:%H:%M:%S %z", &::localtime_r);
}

// RFC 3339, in UTC, to the millisecond.
void append_time(std::string& out, system_clock::time_point time) {
  thread_local WrittenSecond written;
  const auto second = std::chrono::floor<std::chrono::seconds>(time);
  const auto rest = std::chrono::duration_cast<std::chrono::milliseconds>(time - second);
  append_second(out, system_clock::to_time_t(second), written, "%Y-%m-%dT%H:%M:%S", &::gmtime_r);
  fmt::format_to(std::back_inserter(out), ".{:03}Z", rest.count());
}

void append_text(std::string& out, std::string_view text) {
  for (const char c : text) {
    if (c >= ' ' && c <= 126 && c != '"' && c != '\\') {
      out.push_back(c);
    } else {
      fmt::format_to(std::back_inserter(out), "\\x{:02X}", static_cast<unsigned char>(c));
    }
  }
}

void append_quoted(std::string& out, std::string_view text) {
  out.append(" \"");
  append_text(out, text.empty() ? "-" : text);
  out.push_back('"');
}

// What stands for the request line of a connection that has none.
void append_connection(std::string& out, std::string_view listener, const AccessRecord& record) {
  out.append(" \"TCP ");
  append_text(out, record.tls.server_name.empty() ? listener : record.tls.server_name);
  out.push_back(' ');
  out.append(record.tls.version);
  out.push_back('"');
}

void append_address(std::string& out, const asio::ip::address& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const auto append = [&](int family, const auto& bytes) {
    if (::inet_ntop(family, bytes.data(), text.data(), text.size()) != nullptr) out.append(text.data());
  };
  if (address.is_v4()) {
    append(AF_INET, address.to_v4().to_bytes());
  } else {
    append(AF_INET6, address.to_v6().to_bytes());
  }
}

struct RequestLine {
  std::string_view method;
  std::string_view target;
  std::string_view protocol;
};

// RFC 9112, section 3. One that is not of this form has all that is left in its target.
RequestLine split(std::string_view line) {
  const auto first = line.find(' ');
  if (first == std::string_view::npos) return {{}, line, {}};
  const auto last = line.rfind(' ');
  if (last == first) return {line.substr(0, first), line.substr(first + 1), {}};
  return {line.substr(0, first), line.substr(first + 1, last - first - 1), line.substr(last + 1)};
}

void optional_member(JsonWriter& json, std::string_view name, std::string_view text) {
  if (!text.empty()) json.member(name, text);
}

void append_request(JsonWriter& json, const AccessRecord& record) {
  const RequestLine line = split(record.request_line);
  optional_member(json, "method", line.method);
  optional_member(json, "target", line.target);
  optional_member(json, "protocol", line.protocol);
  optional_member(json, "host", record.host);
  json.member("status", record.status);
  optional_member(json, "referer", record.referer);
  optional_member(json, "user_agent", record.user_agent);
}

void append_tls(JsonWriter& json, const AccessRecord& record) {
  const AgreedTls& tls = record.tls;
  json.member("tls_version", tls.version);
  json.member("tls_cipher", tls.cipher);
  optional_member(json, "alpn", tls.protocol);
  optional_member(json, "server_name", tls.server_name);
  json.member("resumed", tls.resumed);
  json.member("handshake_time", tls.handshake_time);
  json.member("sign_time", tls.sign_time);
  if (record.identity == nullptr) return;
  json.member("client_subject", std::string_view(record.identity->subject));
  json.member("client_fingerprint", std::string_view(record.identity->fingerprint));
}

}  // namespace

void append_combined(std::string& out, std::string_view listener, const AccessRecord& record) {
  append_address(out, record.client.address());
  out.append(" - - [");
  append_common_time(out, record.begin);
  out.push_back(']');
  if (record.kind == AccessRecord::Kind::connection) {
    append_connection(out, listener, record);
  } else {
    append_quoted(out, record.request_line);
  }
  fmt::format_to(std::back_inserter(out), " {:03} {}", record.status, record.body_bytes);
  append_quoted(out, record.referer);
  append_quoted(out, record.user_agent);
}

void append_json(std::string& out, std::string_view listener, const AccessRecord& record) {
  JsonWriter json(out);
  const bool is_request = record.kind == AccessRecord::Kind::request;
  json.begin_object();
  json.name("time");
  out.push_back('"');
  append_time(out, record.begin);
  out.push_back('"');
  json.member("type", is_request ? "request" : "connection");
  json.member("listener", listener);
  json.name("client");
  out.push_back('"');
  append_address(out, record.client.address());
  out.push_back('"');
  json.member("client_port", record.client.port());
  if (is_request) append_request(json, record);
  json.member("bytes_in", record.bytes_in);
  json.member("bytes_out", record.bytes_out);
  if (is_request) json.member("body_bytes_out", record.body_bytes);
  json.member("duration", record.duration);
  if (record.first_byte) json.member("first_byte", *record.first_byte);
  json.member("end", kRelayOutcomeNames[static_cast<std::size_t>(record.end)]);
  optional_member(json, "backend", record.backend);
  optional_member(json, "server", record.server);
  append_tls(json, record);
  json.end_object();
}

}  // namespace keystay::tlsd
