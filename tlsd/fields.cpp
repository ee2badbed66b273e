#include "tlsd/fields.h"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include <boost/beast/core/string.hpp>
#include <boost/beast/http/rfc7230.hpp>

namespace keystay::tlsd {
namespace {

constexpr std::string_view kVia = "1.1 keystay-tlsd";

constexpr std::array kHopByHop{http::field::connection,
                               http::field::keep_alive,
                               http::field::proxy_connection,
                               http::field::te,
                               http::field::trailer,
                               http::field::upgrade,
                               http::field::proxy_authenticate,
                               http::field::proxy_authorization};

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

void remove_underscored(http::fields& fields) {
  for (auto field = fields.begin(); field != fields.end();) {
    field = field->name_string().find('_') == std::string_view::npos ? std::next(field) : fields.erase(field);
  }
}

// RFC 9112, section 3.2.2: the authority of an absolute-form takes the place of Host.
void to_origin_form(RequestHeader& request) {
  const std::string target(request.target());
  const auto scheme_end = target.find("://");
  if (target.starts_with('/') || scheme_end == std::string::npos) return;
  const auto authority = scheme_end + 3;
  const auto path = std::min(target.find_first_of("/?", authority), target.size());
  request.set(http::field::host, target.substr(authority, path - authority));
  std::string origin_form = target.substr(path);
  if (!origin_form.starts_with('/')) origin_form.insert(0, "/");
  request.target(origin_form);
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
  return request.version() == 11 && request.method() == http::verb::get &&
         request.count(http::field::content_length) == 0 &&
         request.count(http::field::transfer_encoding) == 0 &&
         has_token(request, http::field::connection, "upgrade") &&
         beast::iequals(request[http::field::upgrade], "websocket");
}

void prepare_request(RequestHeader& request, std::string_view client_address) {
  const bool websocket = asks_for_websocket(request);
  remove_hop_by_hop(request);
  remove_underscored(request);
  to_origin_form(request);
  append_to_list(request, "X-Forwarded-For", client_address);
  request.set("X-Forwarded-Proto", "https");
  append_to_list(request, "Via", kVia);
  request.version(11);
  if (websocket) {
    request.set(http::field::connection, "Upgrade");
    request.set(http::field::upgrade, "websocket");
  }
}

void prepare_response(ResponseHeader& response) {
  remove_hop_by_hop(response);
  response.version(11);
}

}  // namespace keystay::tlsd
