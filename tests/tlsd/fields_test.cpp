// What a gateway changes in the fields (RFC 9110, section 7.6).
#include "tlsd/http/fields.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace keystay::tlsd {
namespace {

RequestHeader request(std::initializer_list<std::pair<std::string_view, std::string_view>> fields) {
  RequestHeader header;
  header.method(http::verb::get);
  header.target("/");
  header.version(11);
  for (const auto& [name, value] : fields) header.insert(name, value);
  return header;
}

TEST(Fields, RemoveWhatIsForOneHopOnly) {
  auto header = request({{"Connection", "close, X-Mine"},
                         {"Connection", "x-other"},
                         {"X-Mine", "1"},
                         {"X-Other", "2"},
                         {"X-Kept", "3"},
                         {"Keep-Alive", "timeout=5"},
                         {"Proxy-Connection", "keep-alive"},
                         {"TE", "trailers"},
                         {"Trailer", "X"},
                         {"Upgrade", "h2c"},
                         {"Proxy-Authorization", "secret"}});
  remove_hop_by_hop(header);
  EXPECT_EQ(std::distance(header.begin(), header.end()), 1);
  EXPECT_EQ(header["X-Kept"], "3");
}

TEST(Fields, ATrailerSectionHasNoPowers) {
  http::fields trailer;
  for (const char* name : {"Content-Length", "Transfer-Encoding", "Host", "Authorization", "Cookie",
                           "Set-Cookie", "X-Forwarded-For", "X-Forwarded-Proto", "X-Real-IP", "Connection",
                           "Upgrade", "Via", "If-Match", "Content-Type", "X_Underscore"})
    trailer.insert(name, "1");
  trailer.insert("X-Checksum", "2");
  prepare_trailer(trailer);
  ASSERT_EQ(std::distance(trailer.begin(), trailer.end()), 1);
  EXPECT_EQ(trailer["X-Checksum"], "2");
}

TEST(Fields, ConnectionCannotRemoveTheFramingOrTheHost) {
  auto header = request({{"Connection", "Host, Content-Length, Transfer-Encoding"},
                         {"Host", "a"},
                         {"Content-Length", "3"},
                         {"Transfer-Encoding", "chunked"}});
  remove_hop_by_hop(header);
  EXPECT_EQ(header["Host"], "a");
  EXPECT_EQ(header["Content-Length"], "3");
  EXPECT_EQ(header["Transfer-Encoding"], "chunked");
}

TEST(Fields, TellTheBackendWhoTheClientIs) {
  auto header = request({{"Host", "a"}, {"X-Forwarded-Proto", "http"}});
  prepare_request(header, "192.0.2.1");
  EXPECT_EQ(header["X-Forwarded-For"], "192.0.2.1");
  EXPECT_EQ(header["X-Forwarded-Proto"], "https");
  EXPECT_EQ(header["Via"], "1.1 keystay-tlsd");
  EXPECT_EQ(header["Host"], "a");
}

TEST(Fields, AppendToTheProxiesBefore) {
  auto header =
      request({{"X-Forwarded-For", "198.51.100.7"}, {"X-Forwarded-For", "198.51.100.8"}, {"Via", "1.0 x"}});
  prepare_request(header, "192.0.2.1");
  EXPECT_EQ(header.count("X-Forwarded-For"), 1U);
  EXPECT_EQ(header["X-Forwarded-For"], "198.51.100.7, 198.51.100.8, 192.0.2.1");
  EXPECT_EQ(header["Via"], "1.0 x, 1.1 keystay-tlsd");
}

TEST(Fields, DropWhatBackendsTakeForOurs) {
  auto header = request({{"X_Forwarded_For", "10.0.0.1"}, {"Content_Length", "3"}, {"X-Fine", "1"}});
  prepare_request(header, "192.0.2.1");
  EXPECT_EQ(header.count("X_Forwarded_For"), 0U);
  EXPECT_EQ(header.count("Content_Length"), 0U);
  EXPECT_EQ(header["X-Fine"], "1");
}

TEST(Fields, DropWhatOnlyAProxyMaySay) {
  for (const std::string_view name : {"Forwarded",
                                      "X-Real-IP",
                                      "x-forwarded-host",
                                      "X-Forwarded-Port",
                                      "Client-Cert",
                                      "Client-Cert-Chain",
                                      "SSL-Client-Verify",
                                      "True-Client-IP",
                                      "Proxy",
                                      "X-Forwarded",
                                      "WL-Proxy-Client-IP",
                                      "Proxy-Client-IP",
                                      "X-Original-URI",
                                      "X-Rewrite-URL",
                                      "Remote-User",
                                      "X-ARR-ClientCert",
                                      "X-ARR-SSL",
                                      "X-TLS-Client-Cert",
                                      "Tls-Client-Cert",
                                      "X-Client-Certificate",
                                      "X-SSL-Client-S-DN",
                                      "X-Amzn-Mtls-Clientcert",
                                      "X-Amzn-Mtls-Clientcert-Subject",
                                      "X-Amzn-Oidc-Identity",
                                      "X-VerifiedCert",
                                      "X-Client-Verify",
                                      "X-Client-DN",
                                      "X-Authenticated-User",
                                      "X-Remote-User",
                                      "X-Remote-Groups",
                                      "X-Remote-Extra-Scopes",
                                      "Remote-Groups",
                                      "X-WebAuth-User",
                                      "X-Auth-Request-Email",
                                      "X-MS-Client-Principal",
                                      "X-MS-Client-Principal-Name",
                                      "X-Goog-Authenticated-User-Email",
                                      "Cf-Access-Authenticated-User-Email",
                                      "Ssl-Offloaded",
                                      "Front-End-Https",
                                      "X-HTTPS",
                                      "HTTPS",
                                      "X-SSL",
                                      "X-Scheme",
                                      "X-Proto",
                                      "X-Forward-For",
                                      "X-Forward-Proto",
                                      "Z-Forwarded-For",
                                      "X-Original-Forwarded-For",
                                      "X-Real-Host",
                                      "X-Real-Port",
                                      "X-Client-Port",
                                      "X-Client-IP",
                                      "X-Cluster-Client-IP",
                                      "Incap-Client-IP",
                                      "X-Sucuri-ClientIP",
                                      "X-Azure-ClientIP",
                                      "X-Azure-SocketIP",
                                      "Fastly-SSL",
                                      "X-Original-Host",
                                      "X-Remote-Addr",
                                      "Client-IP",
                                      "CF-Connecting-IP",
                                      "CF-Connecting-IPv6",
                                      "CloudFront-Forwarded-Proto",
                                      "X-Accel-Mapping",
                                      "X-Sendfile-Type",
                                      "x-client-CERT"}) {
    auto header = request({{"Host", "a"}, {name, "6.6.6.6"}});
    prepare_request(header, "192.0.2.1");
    EXPECT_EQ(header.count(name), 0U) << name;
  }
}

TEST(Fields, KeepWhatClientsSay) {
  for (const std::string_view name :
       {"Authorization",
        "Cookie",
        "Origin",
        "Referer",
        "User-Agent",
        "Accept-Language",
        "Range",
        "If-None-Match",
        "Last-Event-ID",
        "X-Requested-With",
        "X-CSRF-Token",
        "X-XSRF-Token",
        "X-Api-Key",
        "X-Auth-Token",
        "Impersonate-User",  // Kubernetes: without it, its sender has more rights
        "X-Request-ID",
        "X-Correlation-ID",
        "Traceparent",
        "X-B3-TraceId",
        "X-HTTP-Method-Override",
        "X-Client-Id",
        "X-Client-Version",
        "X-Client-Data",
        "X-Client-Name",
        "X-User-Id",
        "X-Amz-Date",
        "X-Amz-Content-Sha256",
        "X-Amz-Security-Token",
        "X-Amzn-Trace-Id",
        "X-Goog-Api-Key",
        "X-Goog-AuthUser",
        "X-MS-Version",
        "X-MS-Client-Request-Id",
        "Sec-Fetch-Site",
        "Sec-CH-UA",
        "Upgrade-Insecure-Requests",
        "X-Forwarding-Plan",
        "X-Realm",
        "X-SSO-Ticket",
        "X-Host-Id",
        "X-Protocol-Version",
        "HTTPS-Only",
        "Remotely",
        "DPoP",
        "Signature-Input"}) {
    auto header = request({{"Host", "a"}, {name, "1"}});
    prepare_request(header, "192.0.2.1");
    EXPECT_EQ(header[name], "1") << name;
  }
}

TEST(Fields, SayWhichProtocolTheClientSpoke) {
  auto header = request({{"Host", "a"}, {"Expect", "100-continue"}});
  header.version(10);
  prepare_request(header, "192.0.2.1");
  EXPECT_EQ(header["Via"], "1.0 keystay-tlsd");
  EXPECT_EQ(header.count("Expect"), 0U);  // RFC 9110, section 10.1.1
}

TEST(Fields, OptionsForTheServerStaysSo) {
  for (const auto& [target, expected] : std::initializer_list<std::pair<std::string_view, std::string_view>>{
           {"http://a", "*"}, {"*", "*"}, {"http://a/", "/"}, {"http://a?q", "/?q"}}) {
    auto header = request({{"Host", "a"}});
    header.method(http::verb::options);
    header.target(target);
    prepare_request(header, "192.0.2.1");
    EXPECT_EQ(header.target(), expected);
  }
}

TEST(Fields, OnlyWebSocketMayBeSwitchedTo) {
  ResponseHeader response;
  response.set(http::field::connection, "Upgrade");
  EXPECT_FALSE(switches_to_websocket(response));
  response.set(http::field::upgrade, "h2c");
  EXPECT_FALSE(switches_to_websocket(response));
  response.set(http::field::upgrade, "WebSocket");
  EXPECT_TRUE(switches_to_websocket(response));
}

TEST(Fields, AnInterimResponseHasNoFraming) {
  ResponseHeader response;
  response.set(http::field::content_length, "5");
  response.set(http::field::transfer_encoding, "chunked");
  prepare_interim_response(response);
  EXPECT_EQ(response.begin(), response.end());
}

TEST(Fields, TheAuthorityOfAnAbsoluteTargetIsTheHost) {
  auto header = request({{"Host", "other"}});
  header.target("http://example.com:8080/a?b");
  prepare_request(header, "192.0.2.1");
  EXPECT_EQ(header.target(), "/a?b");
  EXPECT_EQ(header["Host"], "example.com:8080");

  header.target("https://example.com");
  prepare_request(header, "192.0.2.1");
  EXPECT_EQ(header.target(), "/");
  header.target("https://example.com?q=http://x/");
  prepare_request(header, "192.0.2.1");
  EXPECT_EQ(header.target(), "/?q=http://x/");
}

TEST(Fields, AQueryWithAUrlIsNoAbsoluteTarget) {
  auto header = request({{"Host", "a"}});
  header.target("/login?next=https://b/");
  prepare_request(header, "192.0.2.1");
  EXPECT_EQ(header.target(), "/login?next=https://b/");
  EXPECT_EQ(header["Host"], "a");
}

TEST(Fields, OnlyWebSocketMayUpgrade) {
  auto websocket = request({{"Connection", "keep-alive, Upgrade"}, {"Upgrade", "WebSocket"}});
  EXPECT_TRUE(asks_for_websocket(websocket));
  prepare_request(websocket, "192.0.2.1");
  EXPECT_EQ(websocket["Upgrade"], "websocket");
  EXPECT_EQ(websocket["Connection"], "Upgrade");

  auto h2c =
      request({{"Connection", "Upgrade, HTTP2-Settings"}, {"Upgrade", "h2c"}, {"HTTP2-Settings", "AAMA"}});
  EXPECT_FALSE(asks_for_websocket(h2c));
  prepare_request(h2c, "192.0.2.1");
  EXPECT_EQ(h2c.count("Upgrade"), 0U);
  EXPECT_EQ(h2c.count("HTTP2-Settings"), 0U);

  EXPECT_FALSE(asks_for_websocket(request({{"Upgrade", "websocket"}})));
  EXPECT_FALSE(asks_for_websocket(
      request({{"Connection", "Upgrade"}, {"Upgrade", "websocket"}, {"Content-Length", "5"}})));
}

}  // namespace
}  // namespace keystay::tlsd
