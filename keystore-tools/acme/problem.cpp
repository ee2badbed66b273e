#include "keystore-tools/acme/problem.h"

#include <algorithm>
#include <array>

#include <boost/json.hpp>

#include "keystore-tools/acme/json.h"
#include "native/pkcs11/text.h"
#include "native/pkcs11/unicode.h"

namespace keystay::tools::acme {
namespace {

constexpr std::string_view kNamespace = "urn:ietf:params:acme:error:";
constexpr std::size_t kLongestText = 600;    // bytes of one text of the server's in a message
constexpr std::size_t kMostSubproblems = 5;  // in a message

struct Remedy {
  std::string_view type;
  std::string_view text;
};

// RFC 8555, section 6.7: where something can be done here.
constexpr std::array kRemedies = std::to_array<Remedy>({
    {"accountDoesNotExist", "the account key is not registered there; keystay acme issue registers it"},
    {"badNonce", "the server has refused every nonce; look at what stands between here and it"},
    {"badPublicKey", "the CA takes no such key; make another one with -keyalg and -keysize"},
    {"badSignatureAlgorithm", "the CA takes no such account key; name another one with -account"},
    {"caa", "let a CAA record of the domain name the CA (RFC 8659)"},
    {"connection",
     "the CA must reach the server by the name: port 80 for http-01, through each firewall, by IPv6 too "
     "where "
     "the name has an AAAA record"},
    {"dns", "look at the records of the name as the world sees them"},
    {"externalAccountRequired", "the CA wants a customer's account: -eab-kid and -eab-hmac-file"},
    {"incorrectResponse",
     "something else answers for the challenge: look at acme-backend of keystay-tlsd, at -webroot, or at the "
     "TXT record"},
    {"invalidContact", "correct -contact"},
    {"rateLimited", "wait, and try no more often than the CA wants it"},
    {"rejectedIdentifier", "the CA does not certify this name"},
    {"serverInternal", "try again later"},
    {"unauthorized",
     "something else answers for the challenge: look at acme-backend of keystay-tlsd, at -webroot, or at the "
     "TXT record; or the account is deactivated"},
    {"unsupportedContact", "the CA takes mailto: addresses: -contact mailto:admin@example.org"},
    {"userActionRequired", "the CA wants a person to do something first, as it says"},
});

std::string short_type(std::string_view type) {
  return quoted_from_server(type.starts_with(kNamespace) ? type.substr(kNamespace.size()) : type);
}

std::string identifier_of(const boost::json::object& object) {
  const boost::json::object* identifier = object_member(object, "identifier");
  return identifier ? quoted_from_server(text_member(*identifier, "value")) : std::string();
}

std::string type_and_detail(const std::string& type, const std::string& detail) {
  if (type.empty() || type == "about:blank") return detail;
  return detail.empty() ? type : type + ": " + detail;
}

std::string remedy_of(const Problem& problem) {
  const auto* const found = std::ranges::find(kRemedies, problem.type, &Remedy::type);
  std::string text;
  if (problem.retry_after && problem.retry_after->count() > 0)
    text +=
        "; the CA asks for a pause of " + std::to_string(problem.retry_after->count()) + " s (Retry-After)";
  if (found != kRemedies.end()) text += "; " + std::string(found->text);
  return text;
}

}  // namespace

std::string quoted_from_server(std::string_view text) {
  const bool is_long = text.size() > kLongestText;
  std::string cut(text.substr(0, kLongestText));
  std::ranges::replace(cut, '\n', ' ');
  return pkcs11::printable(cut) + (is_long ? "…" : "");
}

Problem to_problem(const boost::json::value& value) {
  Problem problem;
  const boost::json::object* object = value.if_object();
  if (!object) return problem;
  problem.type = short_type(text_member(*object, "type"));
  problem.detail = quoted_from_server(text_member(*object, "detail"));
  const boost::json::array* subproblems = array_member(*object, "subproblems");
  if (!subproblems) return problem;
  for (const boost::json::value& element : *subproblems) {
    const boost::json::object* part = element.if_object();
    if (!part || problem.subproblems.size() == kMostSubproblems) continue;
    problem.subproblems.push_back({short_type(text_member(*part, "type")),
                                   quoted_from_server(text_member(*part, "detail")), identifier_of(*part)});
  }
  return problem;
}

Problem parse_problem(std::string_view body, int status) {
  boost::system::error_code fault;
  const boost::json::value value = boost::json::parse({body.data(), body.size()}, fault);
  Problem problem = fault ? Problem() : to_problem(value);
  problem.status = status;
  return problem;
}

std::string describe(const Problem& problem) {
  std::string text = type_and_detail(problem.type, problem.detail);
  if (problem.status != 0) {
    const std::string status = "status " + std::to_string(problem.status);
    text = text.empty() ? status + " without a reason" : text + " (" + status + ")";
  } else if (text.empty()) {
    text = "no reason is given";
  }
  for (const Subproblem& part : problem.subproblems) {
    text += "; " + (part.identifier.empty() ? std::string() : part.identifier + ": ") +
            type_and_detail(part.type, part.detail);
  }
  return text + remedy_of(problem);
}

}  // namespace keystay::tools::acme
