#include "keystore-tools/acme/resources.h"

#include <algorithm>
#include <array>

#include <boost/json.hpp>

#include "keystore-tools/acme/base64url.h"
#include "keystore-tools/acme/json.h"

namespace keystay::tools::acme {
namespace {

namespace json = boost::json;

// More than a certificate has names; a server that sends more is not one to follow.
constexpr std::size_t kMostAuthorizations = 1000;
constexpr std::size_t kMostChallenges = 32;
constexpr std::size_t kLongestToken = 512;
constexpr std::size_t kLongestUrl = 4096;

[[noreturn]] void fail(std::string_view resource, std::string_view why) {
  throw Failure("ACME: the server's answer is no " + std::string(resource) + ": " + std::string(why) +
                "; is the URL of -directory that of an ACME server (RFC 8555)?");
}

json::object parse_object(std::string_view body, std::string_view resource) {
  boost::system::error_code fault;
  json::value value = json::parse({body.data(), body.size()}, fault);
  if (fault) fail(resource, "no JSON (" + fault.message() + ")");
  json::object* object = value.if_object();
  if (!object) fail(resource, "no JSON object");
  return std::move(*object);
}

// Empty if it is none. Other schemes than https are refused where they are used.
std::string url_member(const json::object& object, std::string_view name) {
  const std::string_view url = text_member(object, name);
  const bool is_visible = std::ranges::all_of(url, [](unsigned char c) { return c > ' ' && c < 0x7F; });
  return is_visible && url.size() <= kLongestUrl ? std::string(url) : std::string();
}

std::string required_url(const json::object& object, std::string_view name, std::string_view resource) {
  std::string url = url_member(object, name);
  if (url.empty()) fail(resource, "it has no URL \"" + std::string(name) + "\"");
  return url;
}

struct StatusName {
  std::string_view name;
  Status status;
};
constexpr std::array kStatuses = std::to_array<StatusName>({{"pending", Status::pending},
                                                            {"ready", Status::ready},
                                                            {"processing", Status::processing},
                                                            {"valid", Status::valid},
                                                            {"invalid", Status::invalid},
                                                            {"deactivated", Status::gone},
                                                            {"expired", Status::gone},
                                                            {"revoked", Status::gone}});

Status status_member(const json::object& object, std::string_view resource) {
  const std::string_view name = text_member(object, "status");
  const auto* const found = std::ranges::find(kStatuses, name, &StatusName::name);
  if (found == kStatuses.end()) fail(resource, "its status is \"" + quoted_from_server(name) + "\"");
  return found->status;
}

std::optional<Problem> error_member(const json::object& object) {
  const json::value* error = member(object, "error");
  return error && error->is_object() ? std::optional(to_problem(*error)) : std::nullopt;
}

bool is_true(const json::object* object, std::string_view name) {
  const json::value* value = object ? member(*object, name) : nullptr;
  return value && value->is_bool() && value->get_bool();
}

std::optional<Challenge> to_challenge(const json::value& value) {
  const json::object* object = value.if_object();
  if (!object) return std::nullopt;
  Challenge challenge{.type = std::string(text_member(*object, "type")),
                      .url = url_member(*object, "url"),
                      .token = std::string(text_member(*object, "token")),
                      .error = error_member(*object)};
  // A token becomes a path and the name of a file.
  const bool is_usable =
      !challenge.url.empty() && is_base64url(challenge.token) && challenge.token.size() <= kLongestToken;
  return is_usable ? std::optional(std::move(challenge)) : std::nullopt;
}

}  // namespace

Directory parse_directory(std::string_view body) {
  constexpr std::string_view kResource = "directory";
  const json::object object = parse_object(body, kResource);
  const json::object* meta = object_member(object, "meta");
  return {.new_nonce = required_url(object, "newNonce", kResource),
          .new_account = required_url(object, "newAccount", kResource),
          .new_order = required_url(object, "newOrder", kResource),
          .terms_of_service = meta ? url_member(*meta, "termsOfService") : std::string(),
          .external_account_required = is_true(meta, "externalAccountRequired")};
}

Order parse_order(std::string_view body) {
  constexpr std::string_view kResource = "order";
  const json::object object = parse_object(body, kResource);
  Order order{.status = status_member(object, kResource),
              .authorizations = {},
              .finalize = required_url(object, "finalize", kResource),
              .certificate = url_member(object, "certificate"),
              .error = error_member(object)};
  const json::array* authorizations = array_member(object, "authorizations");
  if (!authorizations || authorizations->empty()) fail(kResource, "it has no authorizations");
  if (authorizations->size() > kMostAuthorizations) fail(kResource, "it has too many authorizations");
  for (const json::value& url : *authorizations) {
    const json::object named{{"url", url}};
    order.authorizations.push_back(required_url(named, "url", kResource));
  }
  return order;
}

Authorization parse_authorization(std::string_view body) {
  constexpr std::string_view kResource = "authorization";
  const json::object object = parse_object(body, kResource);
  const json::object* identifier = object_member(object, "identifier");
  if (!identifier) fail(kResource, "it has no identifier");
  const std::string_view type = text_member(*identifier, "type");
  if (type != "dns" && type != "ip") fail(kResource, "its identifier is neither a name nor an address");
  Authorization authorization{.status = status_member(object, kResource),
                              .identifier = {type == "ip" ? IdentifierType::ip : IdentifierType::dns,
                                             std::string(text_member(*identifier, "value"))},
                              .wildcard = is_true(&object, "wildcard"),
                              .challenges = {}};
  const json::array* challenges = array_member(object, "challenges");
  if (!challenges || challenges->size() > kMostChallenges)
    fail(kResource, "it has no challenges, or too many");
  for (const json::value& value : *challenges)
    if (auto challenge = to_challenge(value)) authorization.challenges.push_back(*std::move(challenge));
  return authorization;
}

}  // namespace keystay::tools::acme
