#include "tlsd/http/fields.h"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include <boost/beast/core/string.hpp>
#include <boost/beast/http/rfc7230.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

namespace keystay::tlsd {
namespace {

// The protocol is that of the client's message (RFC 9110, section 7.6.3).
constexpr std::string_view kViaHttp2 = "2.0 keystay-tlsd";
constexpr std::string_view kViaHttp11 = "1.1 keystay-tlsd";
constexpr std::string_view kViaHttp10 = "1.0 keystay-tlsd";

// What proxies tell servers about a client and its request, by whole name, beginning or part of a name, all
// without regard to case: each proxy has a spelling of its own. X-Forwarded-For is not among them: it is a
// list to which each proxy appends, so that its last entry is ours.
constexpr auto kWordsOfProxies = std::to_array<std::string_view>({
    "Forwarded",
    "X-Forwarded",
    "X-Originating-IP",
    "X-ProxyUser-IP",
    "X-Azure-SocketIP",
    "X-Host",
    "X-HTTP-Host-Override",
    "X-Scheme",
    "X-Url-Scheme",
    "X-Proto",
    "X-SSL",
    "X-HTTPS",
    "HTTPS",  // CGI's HTTP_HTTPS, which some take for its HTTPS
    "Front-End-Https",
    "X-Rewrite-URL",
    "X-Envoy-External-Address",
    "CF-Visitor",
    "Fastly-SSL",
    "X-Sendfile-Type",
    "Proxy"  // CGI's HTTP_PROXY
});
constexpr auto kPrefixesOfProxies = std::to_array<std::string_view>({
    "X-Forwarded-",
    "X-Forward-",
    "X-Original-",
    "X-Real-",
    "X-SSL-",
    "SSL-",
    "X-TLS-",
    "TLS-",
    "X-Remote-",
    "Remote-",
    "X-WebAuth-",
    "X-ARR-",
    "X-Auth-Request-",
    "X-Amzn-Mtls-",
    "X-Amzn-Oidc-",
    "WL-Proxy-",
    "X-MS-Client-Principal",
    "X-AppEngine-",
    "X-Accel-",
    "CloudFront-",
});
// Anywhere in a name, without its hyphens: "X-Sucuri-ClientIP" and "Incap-Client-IP" say the same.
constexpr auto kTermsOfProxies = std::to_array<std::string_view>({
    "clientcert",  // RFC 9440, and others
    "verifiedcert",
    "clientverify",
    "clientdn",
    "clientip",
    "clientport",
    "connectingip",
    "forwardedfor",
    "forwardedproto",
    "forwardedhost",
    "authenticateduser",
});

constexpr std::array kHopByHop{http::field::connection,
                               http::field::keep_alive,
                               http::field::proxy_connection,
                               http::field::te,
                               http::field::trailer,
                               http::field::upgrade,
                               http::field::proxy_authenticate,
                               http::field::proxy_authorization};

// What has a meaning in the head only, where it was looked at (RFC 9110, section 6.5.1).
constexpr std::array kNotInTrailers{http::field::content_length,
                                    http::field::transfer_encoding,
                                    http::field::host,
                                    http::field::expect,
                                    http::field::max_forwards,
                                    http::field::range,
                                    http::field::authorization,
                                    http::field::cookie,
                                    http::field::set_cookie,
                                    http::field::www_authenticate,
                                    http::field::content_encoding,
                                    http::field::content_type,
                                    http::field::content_range,
                                    http::field::cache_control,
                                    http::field::age,
                                    http::field::date,
                                    http::field::expires,
                                    http::field::location,
                                    http::field::retry_after,
                                    http::field::vary,
                                    http::field::warning,
                                    http::field::via};

// The framing and the host are never the sender's to remove, even if Connection names them.
constexpr std::array kKept{http::field::content_length, http::field::transfer_encoding, http::field::host};

std::vector<std::string> connection_options(const http::fields& fields) {
  std::vector<std::string> names;
  const auto [begin, end] = fields.equal_range(http::field::connection);
  for (auto field = begin; field != end; ++field) {
    for (const auto option : http::token_list(field->value())) names.emplace_back(option);
  }
  return names;
}

bool has_token(const http::fields& fields, http::field name, std::string_view token) {
  const auto [begin, end] = fields.equal_range(name);
  return std::any_of(begin, end,
                     [&](const auto& field) { return http::token_list(field.value()).exists(token); });
}

// One list of all values of the field, and `last`.
void append_to_list(http::fields& fields, std::string_view name, std::string_view last) {
  std::string list;
  const auto [begin, end] = fields.equal_range(name);
  for (auto field = begin; field != end; ++field) {
    list += field->value();
    list += ", ";
  }
  list += last;
  fields.set(name, list);
}

bool starts_with(std::string_view name, std::string_view prefix) {
  return beast::iequals(name.substr(0, prefix.size()), prefix);
}

// Whether the name has the term at its beginning, hyphens and case apart.
bool begins_with_term(std::string_view name, std::string_view term) {
  for (const char c : name) {
    if (term.empty()) return true;
    if (c == '-') continue;
    if ((c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c) != term.front()) return false;
    term.remove_prefix(1);
  }
  return term.empty();
}

bool has_term(std::string_view name, std::string_view term) {
  for (; !name.empty(); name.remove_prefix(1)) {
    if (begins_with_term(name, term)) return true;
  }
  return false;
}

bool is_word_of_a_proxy(std::string_view name) {
  if (name.find('_') != std::string_view::npos) return true;  // in one spelling or another
  if (beast::iequals(name, "X-Forwarded-For")) return false;
  return std::ranges::any_of(kPrefixesOfProxies,
                             [&](std::string_view prefix) { return starts_with(name, prefix); }) ||
         std::ranges::any_of(kWordsOfProxies,
                             [&](std::string_view word) { return beast::iequals(name, word); }) ||
         std::ranges::any_of(kTermsOfProxies, [&](std::string_view term) { return has_term(name, term); });
}

std::string_view via(unsigned version) {
  if (version >= 20) return kViaHttp2;
  return version == 11 ? kViaHttp11 : kViaHttp10;
}

void remove_words_of_proxies(http::fields& fields) {
  for (auto field = fields.begin(); field != fields.end();) {
    field = is_word_of_a_proxy(field->name_string()) ? fields.erase(field) : std::next(field);
  }
}

// RFC 9112, section 3.2.2: the authority of an absolute-form takes the place of Host. Section 3.2.4: OPTIONS
// for a server, and not for a resource of it, has no path in absolute-form and an asterisk in the other.
void to_origin_form(RequestHeader& request) {
  const std::string target(request.target());
  const auto uri = boost::urls::parse_uri(target);  // a path is none
  if (!uri || !uri->has_authority()) return;
  request.set(http::field::host, std::string(uri->encoded_host_and_port()));
  std::string path_and_query(uri->encoded_path());
  if (uri->has_query()) path_and_query.append("?").append(uri->encoded_query());
  if (path_and_query.starts_with('/')) {
    request.target(path_and_query);
  } else if (path_and_query.empty() && request.method() == http::verb::options) {
    request.target("*");
  } else {
    request.target("/" + path_and_query);
  }
}

}  // namespace

void remove_hop_by_hop(http::fields& fields) {
  const auto kept = [](const std::string& name) {
    return std::ranges::any_of(kKept,
                               [&](http::field field) { return beast::iequals(name, to_string(field)); });
  };
  for (const std::string& name : connection_options(fields)) {
    if (!kept(name)) fields.erase(name);
  }
  for (const http::field name : kHopByHop) fields.erase(name);
}

bool asks_for_websocket(const RequestHeader& request) {
  return request.version() >= 11 && request.method() == http::verb::get &&
         request.count(http::field::content_length) == 0 &&
         request.count(http::field::transfer_encoding) == 0 &&
         has_token(request, http::field::connection, "upgrade") &&
         beast::iequals(request[http::field::upgrade], "websocket");
}

void prepare_request(RequestHeader& request, std::string_view client_address) {
  const bool websocket = asks_for_websocket(request);
  remove_hop_by_hop(request);
  remove_words_of_proxies(request);
  to_origin_form(request);
  append_to_list(request, "X-Forwarded-For", client_address);
  request.set("X-Forwarded-Proto", "https");
  append_to_list(request, "Via", via(request.version()));
  if (request.version() < 11) request.erase(http::field::expect);  // RFC 9110, section 10.1.1
  request.version(11);
  if (websocket) {
    request.set(http::field::connection, "Upgrade");
    request.set(http::field::upgrade, "websocket");
  }
}

// The subject's quotes and control characters are escaped already (RFC 2253, section 2.4).
void add_client_certificate(RequestHeader& request, const ClientIdentity& client) {
  request.set("Client-Cert", ':' + client.certificate + ':');
  request.set("X-Forwarded-Client-Cert", "Hash=" + client.fingerprint + ";Subject=\"" + client.subject + '"');
}

void prepare_response(ResponseHeader& response) {
  remove_hop_by_hop(response);
  response.version(11);
  // Where the server gave no phrase, Beast writes its own, and for a status that it does not know a tag.
  if (response.reason() == http::obsolete_reason(http::status::unknown)) response.reason("Unnamed");
}

void prepare_interim_response(ResponseHeader& response) {
  prepare_response(response);
  response.erase(http::field::content_length);
  response.erase(http::field::transfer_encoding);
}

void prepare_trailer(http::fields& trailer) {
  remove_hop_by_hop(trailer);
  remove_words_of_proxies(trailer);
  trailer.erase("X-Forwarded-For");
  for (const http::field name : kNotInTrailers) trailer.erase(name);
  for (auto field = trailer.begin(); field != trailer.end();) {
    const bool is_condition = starts_with(field->name_string(), "If-");
    field = is_condition ? trailer.erase(field) : std::next(field);
  }
}

bool switches_to_websocket(const ResponseHeader& response) {
  return has_token(response, http::field::connection, "upgrade") &&
         beast::iequals(response[http::field::upgrade], "websocket");
}

}  // namespace keystay::tlsd
