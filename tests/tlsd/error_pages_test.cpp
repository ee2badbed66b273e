// Pages of the operator in place of the answers of tlsd itself.
#include "tlsd/http/error_pages.h"

#include <filesystem>
#include <fstream>

#include <sys/stat.h>

#include "tests/tlsd/http2_client.h"
#include "tests/tlsd/http_test.h"

namespace keystay::test {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class ErrorPagesTest : public HttpTest {
 protected:
  ErrorPagesTest() { std::filesystem::create_directory(pages_); }

  void write_page(const std::string& name, const std::string& text) const {
    std::ofstream(pages_ / name) << text;
  }
  // Why the pages cannot be read; empty if they can.
  [[nodiscard]] std::string refusal() const {
    try {
      const tlsd::ErrorPages pages(pages_.string());
    } catch (const std::runtime_error& error) {
      return error.what();
    }
    return {};
  }

  const std::filesystem::path pages_ = directory_.path() / "pages";
};

TEST_F(ErrorPagesTest, StandInPlaceOfTheLineOfTextForTheirStatus) {
  write_page("502.html", "<p>Back soon</p>");
  write_page("400.html", "<p>What?</p>");
  write_page("style.css", "p { color: red }");
  listener_.error_pages = pages_.string();
  app_.servers = {{"127.0.0.1", 1}};
  server_ = std::make_unique<TestServer>(settings_);
  const HttpResponse bad_gateway = answer(kGet);
  EXPECT_EQ(bad_gateway.status, 502U);
  EXPECT_EQ(bad_gateway.body, "<p>Back soon</p>");
  EXPECT_EQ(bad_gateway.field("Content-Type"), "text/html; charset=utf-8");
  EXPECT_EQ(answer("GET / HTTP/1.1\r\nnonsense\r\n\r\n").body, "<p>What?</p>");
  const HttpResponse other = answer("BREW / HTTP/9.9\r\n\r\n");
  EXPECT_EQ(other.status, 505U);
  EXPECT_EQ(other.field("Content-Type"), "text/plain; charset=utf-8");
  Http2Client client(server_->port());
  const Response2 over_http2 = client.get();
  EXPECT_EQ(over_http2.status, 502U);
  EXPECT_EQ(over_http2.body, "<p>Back soon</p>");
}

TEST_F(ErrorPagesTest, AReloadReadsThemAgainOrChangesNothing) {
  write_page("502.html", "old");
  listener_.error_pages = pages_.string();
  app_.servers = {{"127.0.0.1", 1}};
  server_ = std::make_unique<TestServer>(settings_, [settings = settings_] { return settings; });
  EXPECT_EQ(answer(kGet).body, "old");
  write_page("502.html", "new");
  server_->server().reload();
  ASSERT_TRUE(server_->wait_for_metric(R"(keystay_tlsd_reloads_total{result="succeeded"})", 1));
  EXPECT_EQ(answer(kGet).body, "new");
  write_page("502.html", std::string(65537, 'x'));
  server_->server().reload();
  ASSERT_TRUE(server_->wait_for_metric(R"(keystay_tlsd_reloads_total{result="failed"})", 1));
  EXPECT_EQ(answer(kGet).body, "new");
}

TEST_F(ErrorPagesTest, WhatCannotBeUsedIsRefused) {
  EXPECT_THAT(refusal(), HasSubstr("has no file that is named after a status, like 502.html"));
  for (const char* name : {"502.htm", "x502.html", "502x.html", "200.html", "600.html", ".html", "502"})
    write_page(name, "x");
  EXPECT_THAT(refusal(), HasSubstr("has no file that is named after a status"));
  write_page("503.html", std::string(65536, 'x'));
  EXPECT_EQ(refusal(), "");
  write_page("503.html", std::string(65537, 'x'));
  EXPECT_THAT(refusal(), HasSubstr("503.html\" has more than 64 KiB"));
  write_page("503.html", "");
  EXPECT_THAT(refusal(), HasSubstr("503.html\" is empty, or no regular file"));
  std::filesystem::remove(pages_ / "503.html");
  ASSERT_EQ(::mkfifo((pages_ / "503.html").c_str(), 0600), 0);
  EXPECT_NE(refusal(), "") << "it waits for nobody who writes into it";
  std::filesystem::remove_all(pages_);
  EXPECT_THAT(refusal(), StartsWith("error-pages: the directory \""));
  EXPECT_THAT(refusal(), HasSubstr("cannot be read: No such file or directory"));
}

}  // namespace
}  // namespace keystay::test
