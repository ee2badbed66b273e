// Problem documents (RFC 7807) of ACME servers (RFC 8555, section 6.7), and the one message that they become.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/fwd.hpp>

#include "keystore-tools/failure.h"

namespace keystay::tools::acme {

// What the server says is wrong with one identifier.
struct Subproblem {
  std::string type;
  std::string detail;
  std::string identifier;  // empty: it names none
};

// Texts are the server's, cut to a length for messages, and printable.
struct Problem {
  int status = 0;      // of HTTP; 0: it is part of another resource
  std::string type;    // "rateLimited" of ACME's own; any other type as it stands; empty: not said
  std::string detail;  // may be empty
  std::vector<Subproblem> subproblems;
  std::optional<std::chrono::seconds> retry_after{};
};

// The body of an unsuccessful response. Never fails: a body that is no problem document says nothing.
[[nodiscard]] Problem parse_problem(std::string_view body, int status);
// The member "error" of a challenge or an order.
[[nodiscard]] Problem to_problem(const boost::json::value& value);

// `rateLimited (status 429): too many …; wait at least 3600 s (Retry-After) …`: type, detail, subproblems,
// and what to do where the type says it.
[[nodiscard]] std::string describe(const Problem& problem);

// The server has refused a request.
class Refusal final : public Failure {
 public:
  // `what` is the request: `newOrder at https://…`.
  Refusal(const std::string& what, Problem problem)
      : Failure("ACME: " + what + ": " + describe(problem)), problem_(std::move(problem)) {}

  [[nodiscard]] const Problem& problem() const noexcept { return problem_; }

 private:
  Problem problem_;
};

// Text of a server's for a message: printable, and cut where it is long.
[[nodiscard]] std::string quoted_from_server(std::string_view text);

}  // namespace keystay::tools::acme
