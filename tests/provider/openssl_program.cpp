#include "tests/provider/openssl_program.h"

#include <chrono>
#include <regex>

namespace keystay::test {

using testing::HasSubstr;

OpensslProgramTest::OpensslProgramTest(const std::vector<std::string>& keys) {
  message_ = file("message", "to be signed\n");
  for (const std::string& key : keys) write_files_of(key);
}

std::string OpensslProgramTest::file(const std::string& name, std::string_view text) {
  return token().directory().write(name, text);
}

std::string OpensslProgramTest::path(const std::string& name) { return token().directory().path() / name; }

void OpensslProgramTest::write_files_of(const std::string& key) {
  file(key + ".ref", reference(key));
  const Outcome outcome = openssl({"pkey", "-in", "keystay:" + key, "-pubout", "-out", path(key + ".pub")});
  EXPECT_TRUE(outcome.ok()) << outcome;
}

Arguments OpensslProgramTest::with_providers(Arguments arguments, Order order) {
  const bool first = order == Order::keystay_first;
  arguments.insert(arguments.begin() + 1,
                   {"-provider-path", provider_path(), "-provider", first ? "keystay" : "default",
                    "-provider", first ? "default" : "keystay"});
  arguments.insert(arguments.begin(), "openssl");
  return arguments;
}

Outcome OpensslProgramTest::openssl(const Arguments& arguments, Order order) {
  return run(with_providers(arguments, order), {.environment = program_environment()});
}

bool OpensslProgramTest::file_verifies(const std::string& key, const std::string& signature,
                                       const Arguments& options) {
  Arguments all{"openssl", "dgst", "-sha256", "-verify", path(key + ".pub"), "-signature", signature};
  all.insert(all.end(), options.begin(), options.end());
  all.push_back(path("message"));
  return run(all).ok();
}

void OpensslServerTest::serve(const Service& service, const std::vector<Arguments>& clients) {
  const std::string certificate = path(service.key + ".server");
  ASSERT_TRUE(openssl({"req", "-x509", "-new", "-key", "keystay:" + service.key, "-subj", "/CN=localhost",
                       "-addext", "subjectAltName=DNS:localhost", "-out", certificate})
                  .ok());
  Arguments arguments{"s_server", "-key",     path(service.key + ".ref"),     "-cert", certificate, "-accept",
                      "0",        "-naccept", std::to_string(clients.size()), "-www"};
  arguments.insert(arguments.end(), service.options.begin(), service.options.end());
  Environment environment = program_environment();
  // The random generators of a thread that ends after libcrypto's clean-up, as those that sign for jobs do,
  // are lost.
  environment["ASAN_OPTIONS"] = "detect_leaks=0";
  Process server(with_providers(arguments, service.order), {.environment = environment});
  const std::string port = port_of(server);
  ASSERT_NE(port, "") << server.error();
  for (const Arguments& options : clients) {
    Arguments client{"s_client",    "-connect",  "localhost:" + port,
                     "-CAfile",     certificate, "-verify_return_error",
                     "-servername", "localhost"};
    client.insert(client.end(), options.begin(), options.end());
    const Outcome outcome =
        run(with_providers(client, service.order), {.environment = program_environment(), .input = "Q\n"});
    EXPECT_EQ(outcome.exit_code, 0) << testing::PrintToString(options) << outcome;
    EXPECT_THAT(outcome.output, HasSubstr("Verification: OK")) << testing::PrintToString(options);
  }
  const Outcome ended = server.wait(std::chrono::seconds(20));
  EXPECT_EQ(ended.exit_code, 0) << ended;
}

std::string OpensslServerTest::port_of(Process& server) {
  static_cast<void>(server.wait_for_text("ACCEPT ", std::chrono::seconds(20)));
  const std::string output = server.output();
  std::smatch match;
  return std::regex_search(output, match, std::regex("ACCEPT .*:([0-9]+)\n")) ? match[1].str()
                                                                              : std::string();
}

}  // namespace keystay::test
