// What an ACME server may answer: directories, orders, authorizations and problem documents (RFC 8555,
// section 7.1), and keys in base64url.
#include <algorithm>
#include <string_view>

#include "keystore-tools/acme/base64url.h"
#include "keystore-tools/acme/resources.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/law.h"

namespace keystay::test {
namespace {

using namespace tools::acme;

constexpr std::size_t kLongestMessage = 64 << 10;

void require_url(const std::string& url) {
  require(std::ranges::all_of(url, [](unsigned char c) { return c > ' ' && c < 0x7F; }),
          "a URL has visible characters only");
}

void require_message(const Problem& problem) {
  const std::string text = describe(problem);
  require(!text.empty() && text.size() < kLongestMessage, "a problem is a message of bounded length");
  require(std::ranges::none_of(text, [](unsigned char c) { return c < ' ' || c == 0x7F; }),
          "a message has no control characters");
}

void check_directory(std::string_view body) {
  const Directory directory = parse_directory(body);
  require(!directory.new_nonce.empty() && !directory.new_account.empty() && !directory.new_order.empty(),
          "a directory has what is used of it");
  require_url(directory.new_nonce + directory.new_account + directory.new_order + directory.terms_of_service);
}

void check_order(std::string_view body) {
  const Order order = parse_order(body);
  require(!order.finalize.empty() && !order.authorizations.empty(), "an order can be gone on with");
  for (const std::string& url : order.authorizations) require_url(url);
  require_url(order.finalize + order.certificate);
  if (order.error) require_message(*order.error);
}

void check_authorization(std::string_view body) {
  for (const Challenge& challenge : parse_authorization(body).challenges) {
    require(is_base64url(challenge.token), "a token is a name");
    require_url(challenge.url);
    if (challenge.error) require_message(*challenge.error);
  }
}

void parse(std::string_view body) {
  for (const auto check : {check_directory, check_order, check_authorization}) {
    try {
      check(body);
    } catch (const tools::Failure&) {  // it is none
    }
  }
  require_message(parse_problem(body, 400));
  if (const auto bytes = from_base64url(body)) {
    const std::string_view digits = body.substr(0, body.find('='));
    require(to_base64url(*bytes) == digits, "base64url has one form for each value");
  }
}

}  // namespace
}  // namespace keystay::test

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  keystay::test::parse({reinterpret_cast<const char*>(data), size});
  return 0;
}
