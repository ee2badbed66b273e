#include "tlsd/route_table.h"

#include <gtest/gtest.h>

namespace keystay::tlsd {
namespace {

// The backend of the route that is found; "none" if there is none.
std::string found(const std::vector<config::Route>& routes, std::string_view host, std::string_view path) {
  const auto route = RouteTable(routes).find(host, path);
  return route ? routes[*route].backend : "none";
}

TEST(RouteTable, PrefersTheVeryHostThenAWildcardThenAnyHost) {
  const std::vector<config::Route> routes{
      {"", "/api", "any"}, {"*.example", "", "wildcard"}, {"a.example", "", "exact"}};
  EXPECT_EQ(found(routes, "a.example", "/api"), "exact");
  EXPECT_EQ(found(routes, "b.example", "/api"), "wildcard");
  EXPECT_EQ(found(routes, "example", "/api"), "any");
  EXPECT_EQ(found(routes, "b.a.example", "/api"), "any");
  EXPECT_EQ(found(routes, "b.a.example", "/"), "none");
}

TEST(RouteTable, TakesHostsInAnyCaseAndWithADotAtTheEnd) {
  const std::vector<config::Route> routes{{"a.example", "", "a"}};
  EXPECT_EQ(found(routes, "A.Example", "/"), "a");
  EXPECT_EQ(found(routes, "a.example.", "/"), "a");
  EXPECT_EQ(found(routes, "", "/"), "none");
  EXPECT_EQ(found(routes, std::string(300, 'a'), "/"), "none");
}

TEST(RouteTable, PrefersTheLongestPathInWholeSegments) {
  const std::vector<config::Route> routes{{"", "/a", "a"}, {"", "/a/b", "ab"}};
  EXPECT_EQ(found(routes, "x", "/a"), "a");
  EXPECT_EQ(found(routes, "x", "/a/"), "a");
  EXPECT_EQ(found(routes, "x", "/a/b"), "ab");
  EXPECT_EQ(found(routes, "x", "/a/b/c"), "ab");
  EXPECT_EQ(found(routes, "x", "/a/bc"), "a");
  EXPECT_EQ(found(routes, "x", "/ab"), "none");
}

TEST(RouteTable, GoesOnWhereAHostHasNoRouteForThePath) {
  const std::vector<config::Route> routes{
      {"a.example", "/api", "exact"}, {"*.example", "/static", "wildcard"}, {"", "/health", "any"}};
  EXPECT_EQ(found(routes, "a.example", "/api/x"), "exact");
  EXPECT_EQ(found(routes, "a.example", "/static/x"), "wildcard");
  EXPECT_EQ(found(routes, "a.example", "/health"), "any");
  EXPECT_EQ(found(routes, "a.example", "/"), "none");
}

TEST(RouteTable, ReadsTheHostOfAHostField) {
  EXPECT_EQ(host_without_port("a.example:443"), "a.example");
  EXPECT_EQ(host_without_port("a.example"), "a.example");
  EXPECT_EQ(host_without_port("[::1]:443"), "::1");
  EXPECT_EQ(host_without_port(""), "");
}

TEST(RouteTable, ReadsThePathOfATarget) {
  EXPECT_EQ(path_of("/a?b=/c"), "/a");
  EXPECT_EQ(path_of("/a"), "/a");
  EXPECT_EQ(path_of("*"), "*");
}

}  // namespace
}  // namespace keystay::tlsd
