#include "keystore-tools/acme/order.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include <boost/json.hpp>

#include "keystore-tools/acme/base64url.h"
#include "keystore-tools/acme/interruption.h"

namespace keystay::tools::acme {
namespace {

namespace json = boost::json;
using Clock = std::chrono::steady_clock;

constexpr std::chrono::minutes kPatience{10};  // for one authorization, and for the certificate

std::string new_order(const std::vector<Identifier>& identifiers) {
  json::array list;
  for (const Identifier& identifier : identifiers)
    list.push_back(
        {{"type", identifier.type == IdentifierType::ip ? "ip" : "dns"}, {"value", identifier.value}});
  return json::serialize(json::object{{"identifiers", std::move(list)}});
}

std::string shown(const Authorization& authorization) {
  return (authorization.wildcard ? "*." : "") + authorization.identifier.value;
}

// A server that asks about anything else is not answered: its names go to hooks.
void require_ordered(const Authorization& authorization, const std::vector<Identifier>& identifiers) {
  Identifier identifier = authorization.identifier;
  if (authorization.wildcard) identifier.value.insert(0, "*.");
  if (std::ranges::find(identifiers, identifier) != identifiers.end()) return;
  throw Failure("ACME: the server wants an authorization for " + quoted_from_server(identifier.value) +
                ", which was not ordered");
}

bool can_answer(const Responder& responder, const Identifier& identifier) {
  if (responder.challenge_type() == "dns-01") return identifier.type == IdentifierType::dns;
  return !identifier.is_wildcard();
}

// One challenge that is to be answered.
struct Answer {
  Responder* responder;
  Challenge challenge;
};

Answer choose(const Authorization& authorization, const Responders& responders) {
  Identifier identifier = authorization.identifier;
  if (authorization.wildcard) identifier.value.insert(0, "*.");
  std::string offered;
  for (const Challenge& challenge : authorization.challenges)
    offered += (offered.empty() ? "" : ", ") + quoted_from_server(challenge.type);
  for (const auto& responder : responders) {
    const auto challenge =
        std::ranges::find(authorization.challenges, responder->challenge_type(), &Challenge::type);
    if (challenge != authorization.challenges.end() && can_answer(*responder, identifier))
      return {responder.get(), *challenge};
  }
  throw Failure("ACME: the CA offers no challenge for " + shown(authorization) +
                " that can be answered here, but " + (offered.empty() ? "none" : offered) +
                "; http-01 is answered with -http-port or -webroot, dns-01 with -dns-hook");
}

// The reason of the challenge that has failed.
Problem reason_of(const Authorization& authorization) {
  for (const Challenge& challenge : authorization.challenges)
    if (challenge.error) return *challenge.error;
  return {};
}

class Process final {
 public:
  Process(Client& client, const std::vector<Identifier>& identifiers, const Responders& responders)
      : client_(client), identifiers_(identifiers), responders_(responders) {}

  std::string run(pkcs11::ByteView request) {
    const Response created = client_.post("newOrder", client_.directory().new_order, new_order(identifiers_));
    if (created.location.empty())
      throw Failure("ACME: newOrder at " + client_.directory().new_order +
                    ": the answer names no order (Location)");
    url_ = created.location;
    Order order = parse_order(created.body);
    authorize(order);
    order = wait_until(Status::ready, "the order");
    if (order.status == Status::ready) {
      const json::object payload{{"csr", to_base64url(request)}};
      client_.post("finalize", order.finalize, json::serialize(payload));
      order = wait_until(Status::valid, "the certificate");
    }
    if (order.certificate.empty())
      throw Failure("ACME: the order " + url_ + " is valid and has no certificate");
    return client_.post_as_get("certificate", order.certificate, "application/pem-certificate-chain").body;
  }

 private:
  struct Pending {
    std::string url;
    std::string challenge_url;
    std::string name;
  };

  // All responses are published before the CA looks at the first: two names may share one TXT record's name.
  void authorize(const Order& order) {
    PublishedResponses published;
    std::vector<Pending> pending;
    for (const std::string& url : order.authorizations) {
      const Authorization authorization = parse_authorization(client_.post_as_get("authorization", url).body);
      require_ordered(authorization, identifiers_);
      if (authorization.status == Status::valid) continue;  // of an earlier order
      if (authorization.status != Status::pending) fail(authorization);
      const Answer answer = choose(authorization, responders_);
      published.publish(*answer.responder, {authorization.identifier, answer.challenge.token,
                                            answer.challenge.token + "." + thumbprint_of(client_.key().jwk)});
      pending.push_back({url, answer.challenge.url, shown(authorization)});
    }
    for (const Pending& one : pending) client_.post("challenge for " + one.name, one.challenge_url, "{}");
    for (const Pending& one : pending) wait_for(one);
  }

  void wait_for(const Pending& one) {
    const auto deadline = Clock::now() + kPatience;
    while (true) {
      const Response response = client_.post_as_get("authorization", one.url);
      const Authorization authorization = parse_authorization(response.body);
      if (authorization.status == Status::valid) return;
      if (authorization.status != Status::pending) fail(authorization);
      pause(response, deadline, "the authorization of " + one.name);
    }
  }

  [[noreturn]] static void fail(const Authorization& authorization) {
    throw Refusal("the CA has not found the response to its challenge for " + shown(authorization),
                  reason_of(authorization));
  }

  // Until the order has this status, or is valid.
  Order wait_until(Status status, const std::string& what) {
    const auto deadline = Clock::now() + kPatience;
    while (true) {
      const Response response = client_.post_as_get("order", url_);
      Order order = parse_order(response.body);
      if (order.status == status || order.status == Status::valid) return order;
      if (order.status == Status::invalid || order.status == Status::gone)
        throw Refusal("the order " + url_ + " has failed", order.error.value_or(Problem()));
      pause(response, deadline, what);
    }
  }

  static void pause(const Response& response, Clock::time_point deadline, const std::string& what) {
    if (Clock::now() >= deadline) {
      throw Failure("ACME: " + what + " was not decided within " + std::to_string(kPatience.count()) +
                    " minutes; try again later");
    }
    Interruption::sleep(pause_of(response));
  }

  Client& client_;
  const std::vector<Identifier>& identifiers_;
  const Responders& responders_;
  std::string url_;  // of the order
};

}  // namespace

void require_answerable(const std::vector<Identifier>& identifiers, const Responders& responders) {
  for (const Identifier& identifier : identifiers) {
    const bool is_answered = std::ranges::any_of(
        responders, [&](const auto& responder) { return can_answer(*responder, identifier); });
    if (is_answered) continue;
    throw UsageError(
        identifier.is_wildcard()
            ? "a CA certifies " + identifier.value + " by dns-01 alone (RFC 8555, section 7.1.3): -dns-hook"
        : identifier.type == IdentifierType::ip
            ? "a CA certifies the address " + identifier.value + " by http-01: -http-port or -webroot"
            : "nothing is said how to answer the CA's challenge for " + identifier.value +
                  ": -http-port, -webroot or -dns-hook");
  }
}

std::string obtain_certificate(Client& client, const std::vector<Identifier>& identifiers,
                               const Responders& responders, pkcs11::ByteView request) {
  return Process(client, identifiers, responders).run(request);
}

}  // namespace keystay::tools::acme
