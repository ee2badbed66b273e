// What may pass the framing gate, and what smuggles (RFC 9112, sections 2.2 to 6.3).
#include "tlsd/http/framing_gate.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace keystay::tlsd {
namespace {

using boost::beast::http::status;

std::string get(std::string_view fields) {
  return "GET / HTTP/1.1\r\nHost: a\r\n" + std::string(fields) + "\r\n";
}
std::string post(std::string_view fields) {
  return "POST / HTTP/1.1\r\nHost: a\r\n" + std::string(fields) + "\r\n";
}

status refused_with(std::string_view head) {
  const auto refusal = refuse_request(head);
  return refusal ? refusal->status : status::ok;
}

struct Case {
  const char* name;
  std::string head;
  status expected;
};
void PrintTo(const Case& test, std::ostream* out) { *out << test.name; }

class FramingGate : public testing::TestWithParam<Case> {};

TEST_P(FramingGate, Decides) {
  EXPECT_EQ(refused_with(GetParam().head), GetParam().expected) << GetParam().head;
}

std::string name_of(const testing::TestParamInfo<Case>& info) { return info.param.name; }

INSTANTIATE_TEST_SUITE_P(
    LetsPass, FramingGate,
    testing::Values(Case{"Get", get(""), status::ok},
                    Case{"Http10WithoutHost", "GET / HTTP/1.0\r\n\r\n", status::ok},
                    Case{"ContentLength", post("Content-Length: 0\r\n"), status::ok},
                    Case{"LongestContentLength", post("Content-Length: 999999999999999999\r\n"), status::ok},
                    Case{"Chunked", post("Transfer-Encoding: chunked\r\n"), status::ok},
                    Case{"ChunkedInCapitals", post("transfer-encoding: CHUNKED \r\n"), status::ok},
                    Case{"AbsoluteForm", "GET http://a/b?c HTTP/1.1\r\nHost: a\r\n\r\n", status::ok},
                    Case{"AsteriskForm", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", status::ok},
                    Case{"EmptyFieldValue", get("X:\r\n"), status::ok},
                    Case{"ObsText", get("X: caf\xc3\xa9\r\n"), status::ok},
                    Case{"UnknownMethod", "PURGE / HTTP/1.1\r\nHost: a\r\n\r\n", status::ok},
                    Case{"HostWithPort", "GET / HTTP/1.1\r\nHost: [::1]:8443\r\n\r\n", status::ok}),
    name_of);

INSTANTIATE_TEST_SUITE_P(
    RefusesAmbiguousLength, FramingGate,
    testing::Values(
        Case{"ChunkedAndLength", post("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n"),
             status::bad_request},
        Case{"LengthAndChunked", post("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n"),
             status::bad_request},
        Case{"GzipAndLength", post("Transfer-Encoding: gzip\r\nContent-Length: 3\r\n"), status::bad_request},
        Case{"EncodingNotEndingInChunked", post("Transfer-Encoding: gzip\r\n"), status::bad_request},
        Case{"ChunkedNotLast", post("Transfer-Encoding: chunked, gzip\r\n"), status::bad_request},
        Case{"ChunkedBehindGzip", post("Transfer-Encoding: gzip, chunked\r\n"), status::not_implemented},
        Case{"ChunkedTwice", post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"),
             status::bad_request},
        Case{"EmptyEncoding", post("Transfer-Encoding:\r\n"), status::bad_request},
        Case{"ChunkedWithParameter", post("Transfer-Encoding: chunked;q=1\r\n"), status::bad_request},
        Case{"ChunkedWithVerticalTab",
             post("Transfer-Encoding: \x0b"
                  "chunked\r\n"),
             status::bad_request},
        Case{"ChunkedInHttp10", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", status::bad_request},
        Case{"DifferentLengths", post("Content-Length: 3\r\nContent-Length: 4\r\n"), status::bad_request},
        Case{"EqualLengths", post("Content-Length: 3\r\nContent-Length: 3\r\n"), status::bad_request},
        Case{"LengthList", post("Content-Length: 3, 3\r\n"), status::bad_request},
        Case{"LengthWithSign", post("Content-Length: +3\r\n"), status::bad_request},
        Case{"LengthInHex", post("Content-Length: 0x3\r\n"), status::bad_request},
        Case{"EmptyLength", post("Content-Length:\r\n"), status::bad_request},
        Case{"LengthTooLong", post("Content-Length: 18446744073709551617\r\n"), status::bad_request}),
    name_of);

INSTANTIATE_TEST_SUITE_P(
    RefusesMalformedFields, FramingGate,
    testing::Values(Case{"FoldedField", get("X: a\r\n b\r\n"), status::bad_request},
                    Case{"FoldedByTab", get("X: a\r\n\tb\r\n"), status::bad_request},
                    Case{"SpaceBeforeFirstField", "GET / HTTP/1.1\r\n Host: a\r\n\r\n", status::bad_request},
                    Case{"SpaceBeforeColon", post("Content-Length : 3\r\n"), status::bad_request},
                    Case{"TabBeforeColon", post("Transfer-Encoding\t: chunked\r\n"), status::bad_request},
                    Case{"NoColon", get("Content-Length 3\r\n"), status::bad_request},
                    Case{"NoName", get(": x\r\n"), status::bad_request},
                    Case{"NameWithSpace", get("X Y: a\r\n"), status::bad_request},
                    Case{"LoneLineFeed", get("X: a\nTransfer-Encoding: chunked\r\n"), status::bad_request},
                    Case{"LoneCarriageReturn", get("X: a\rTransfer-Encoding: chunked\r\n"),
                         status::bad_request},
                    Case{"NulInValue", get(std::string("X: a\0b\r\n", 8)), status::bad_request},
                    Case{"NulInName", get(std::string("X\0: a\r\n", 7)), status::bad_request},
                    Case{"DeleteInValue", get("X: \x7f\r\n"), status::bad_request}),
    name_of);

INSTANTIATE_TEST_SUITE_P(
    RefusesRequestLines, FramingGate,
    testing::Values(Case{"Http09", "GET /\r\n\r\n", status::bad_request},
                    Case{"Http20", "GET / HTTP/2.0\r\nHost: a\r\n\r\n", status::http_version_not_supported},
                    Case{"Http12WithoutHost", "GET / HTTP/1.2\r\n\r\n", status::bad_request},
                    Case{"Http110", "GET / HTTP/1.10\r\nHost: a\r\n\r\n", status::bad_request},
                    Case{"Http1", "GET / HTTP/1\r\nHost: a\r\n\r\n", status::bad_request},
                    Case{"NoHttp", "GET / FTP/1.1\r\nHost: a\r\n\r\n", status::bad_request},
                    Case{"TwoSpaces", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", status::bad_request},
                    Case{"SpaceInTarget", "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", status::bad_request},
                    Case{"TabAsSeparator", "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", status::bad_request},
                    Case{"LoneLineFeedInLine", "GET / HTTP/1.1\nHost: a\r\n\r\n", status::bad_request},
                    Case{"FragmentInTarget", "GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n", status::bad_request},
                    Case{"NonAsciiTarget", "GET /\xc3\xa9 HTTP/1.1\r\nHost: a\r\n\r\n", status::bad_request},
                    Case{"RelativeTarget", "GET a HTTP/1.1\r\nHost: a\r\n\r\n", status::bad_request},
                    Case{"UserInTarget", "GET http://u@a/ HTTP/1.1\r\nHost: a\r\n\r\n", status::bad_request},
                    Case{"OtherScheme", "GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n", status::bad_request},
                    Case{"AsteriskForGet", "GET * HTTP/1.1\r\nHost: a\r\n\r\n", status::bad_request},
                    Case{"Connect", "CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n", status::method_not_allowed},
                    Case{"Trace", "TRACE / HTTP/1.1\r\nHost: a\r\n\r\n", status::method_not_allowed},
                    Case{"BadMethod", "G(T / HTTP/1.1\r\nHost: a\r\n\r\n", status::bad_request},
                    Case{"NoMethod", " / HTTP/1.1\r\nHost: a\r\n\r\n", status::bad_request}),
    name_of);

INSTANTIATE_TEST_SUITE_P(
    RefusesHosts, FramingGate,
    testing::Values(Case{"NoHost", "GET / HTTP/1.1\r\n\r\n", status::bad_request},
                    Case{"TwoHosts", get("Host: b\r\n"), status::bad_request},
                    Case{"HostWithPath", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", status::bad_request},
                    Case{"HostWithUser", "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", status::bad_request},
                    Case{"HostList", "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", status::bad_request}),
    name_of);

INSTANTIATE_TEST_SUITE_P(
    RefusesAuthorities, FramingGate,
    testing::Values(
        Case{"Quote", "GET http://a\"b/ HTTP/1.1\r\nHost: a\r\n\r\n", status::bad_request},
        Case{"PathThatIsNone", "GET http://a/b|c HTTP/1.1\r\nHost: a\r\n\r\n", status::bad_request},
        Case{"BrokenEncoding", "GET http://a/%zz HTTP/1.1\r\nHost: a\r\n\r\n", status::bad_request},
        Case{"NoAuthority", "GET http:/a HTTP/1.1\r\nHost: a\r\n\r\n", status::bad_request},
        Case{"AnotherScheme", "GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n", status::bad_request},
        Case{"PortThatIsNone", "GET http://a:99x/ HTTP/1.1\r\nHost: a\r\n\r\n", status::bad_request},
        Case{"PortTooLarge", "GET / HTTP/1.1\r\nHost: a:65536\r\n\r\n", status::bad_request},
        Case{"PortTooLargeByFar", "GET / HTTP/1.1\r\nHost: a:99999\r\n\r\n", status::bad_request},
        Case{"PortOfManyDigits", "GET / HTTP/1.1\r\nHost: a:4294967376\r\n\r\n", status::bad_request},
        Case{"PortOnly", "GET / HTTP/1.1\r\nHost: :80\r\n\r\n", status::bad_request},
        Case{"OpenBracket", "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", status::bad_request}),
    name_of);

TEST(FramingGateForResponses, LetsOrdinaryOnesPass) {
  EXPECT_FALSE(refuse_response("HTTP/1.1 200\r\n\r\n"));
  EXPECT_FALSE(refuse_response("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n"));
  EXPECT_FALSE(refuse_response("HTTP/1.0 200 \r\n\r\n"));
  EXPECT_FALSE(refuse_response("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"));
}

TEST(FramingGateForResponses, RefusesAmbiguousOnes) {
  EXPECT_TRUE(refuse_response("HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"));
  EXPECT_TRUE(refuse_response("HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\n"));
  EXPECT_TRUE(refuse_response("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n"));
  EXPECT_TRUE(refuse_response("HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\r\n"));
  EXPECT_TRUE(refuse_response("HTTP/1.1 200 O\nK\r\n\r\n"));
  EXPECT_TRUE(refuse_response("HTTP/2 200\r\n\r\n"));
  EXPECT_TRUE(refuse_response("HTTP/1.1 20\r\n\r\n"));
  EXPECT_TRUE(refuse_response("HTTP/1.1 099 x\r\n\r\n"));
  EXPECT_TRUE(refuse_response("SSH-2.0-x\r\n\r\n"));
}

}  // namespace
}  // namespace keystay::tlsd
