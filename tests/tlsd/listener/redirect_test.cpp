// Where requests in clear are sent, and which of them are challenges of ACME.
#include "tlsd/http/redirect.h"

#include <gtest/gtest.h>

namespace keystay::tlsd {
namespace {

RequestHeader request(http::verb method, std::string_view host, std::string_view target) {
  RequestHeader result;
  result.method(method);
  result.target(target);
  result.version(11);
  if (!host.empty()) result.set(http::field::host, std::string(host));
  return result;
}

std::string location(std::string_view host, std::string_view target, std::uint16_t port = 443) {
  return redirect_location(request(http::verb::get, host, target), port).value_or("none");
}

TEST(RedirectLocation, IsTheSamePlaceByHttps) {
  EXPECT_EQ(location("www.example", "/a?b=c"), "https://www.example/a?b=c");
  EXPECT_EQ(location("www.example:80", "/"), "https://www.example/");
  EXPECT_EQ(location("www.example:8080", "/", 8443), "https://www.example:8443/");
  EXPECT_EQ(location("192.0.2.1", "/"), "https://192.0.2.1/");
  EXPECT_EQ(location("[2001:db8::1]:80", "/", 444), "https://[2001:db8::1]:444/");
  EXPECT_EQ(location("a_b.example", "/%0d%0aX:1"), "https://a_b.example/%0d%0aX:1");
  // What looks like another authority is the path of this one.
  EXPECT_EQ(location("www.example", "//evil.example/"), "https://www.example//evil.example/");
}

TEST(RedirectLocation, IsNowhereWithoutAPlainHostAndAPath) {
  EXPECT_EQ(location("", "/"), "none");
  EXPECT_EQ(location("www.example", "*"), "none");
  for (const std::string_view host : {"a%0d%0ab", "user@www.example", "a b", "a/b", "a,b", "[v1.x]", "[",
                                      "[]", ":80", "a;b", "a'b", "!", "a\\b", "a?b", "a#b"}) {
    EXPECT_EQ(location(host, "/"), "none") << host;
  }
  EXPECT_EQ(location(std::string(254, 'a'), "/"), "none");
}

TEST(RedirectStatus, KeepsTheMethodOfWhatIsNotRead) {
  EXPECT_EQ(redirect_status(http::verb::get), http::status::moved_permanently);
  EXPECT_EQ(redirect_status(http::verb::head), http::status::moved_permanently);
  for (const auto method : {http::verb::post, http::verb::put, http::verb::delete_, http::verb::options})
    EXPECT_EQ(redirect_status(method), http::status::permanent_redirect);
}

TEST(AcmeChallenge, IsATokenBehindTheWellKnownPath) {
  const auto is_challenge = [](http::verb method, std::string_view target) {
    return is_acme_challenge(request(method, "www.example", target));
  };
  EXPECT_TRUE(is_challenge(http::verb::get,
                           "/.well-known/acme-challenge/LoqXcYV8q5ONbJQxbmR7SCTNo3tiAXDfowyjxAjEuX0"));
  EXPECT_TRUE(is_challenge(http::verb::head, "/.well-known/acme-challenge/a-_9"));
  EXPECT_FALSE(is_challenge(http::verb::post, "/.well-known/acme-challenge/a"));
  for (const std::string_view target :
       {"/.well-known/acme-challenge/", "/.well-known/acme-challenge", "/.well-known/acme-challenge/a/b",
        "/.well-known/acme-challenge/../admin", "/.well-known/acme-challenge/a?b",
        "/.well-known/acme-challenge/%2e%2e", "/.well-known/acme-challenge/a.b",
        "/x/.well-known/acme-challenge/a", "//.well-known/acme-challenge/a",
        "/.Well-Known/acme-challenge/a"}) {
    EXPECT_FALSE(is_challenge(http::verb::get, target)) << target;
  }
}

}  // namespace
}  // namespace keystay::tlsd
