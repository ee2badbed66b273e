#include "keystore-tools/test.h"

#include <chrono>
#include <cstdio>
#include <optional>
#include <utility>
#include <vector>

#include <boost/json.hpp>
#include <fmt/core.h>

#include "keystore-tools/failure.h"
#include "keystore-tools/report.h"
#include "native/keys/replication.h"
#include "native/pkcs11/error.h"
#include "native/x509/trial_signature.h"

namespace keystay::tools {
namespace {

using std::chrono::steady_clock;

double milliseconds_since(steady_clock::time_point begin) {
  return std::chrono::duration<double, std::milli>(steady_clock::now() - begin).count();
}

// What it finds is told line by line, or gathered for one report.
class Trial final {
 public:
  Trial(AliasStore& store, OutputForm form)
      : store_(store), source_(store.keys().source()), form_(form), report_(report_of("test", source_)) {
    report_["tokens"] = boost::json::array();
    report_["login"] = nullptr;
    report_["signature"] = nullptr;
  }

  void run(const std::string& alias) {
    try {
      connect();
      sign(key(alias));
      if (failed_ != 0) {
        throw Failure(fmt::format("{} of {} members of {} cannot be used; it works by the others", failed_,
                                  members_, source_.name()));
      }
    } catch (const std::exception& error) {
      report_["connected"] = false;
      report_["error"] = json_text(error.what());
      write_report(form_, report_);
      throw;
    }
    report_["connected"] = true;
    say("Connected");
    write_report(form_, report_);
  }

 private:
  void say(const std::string& line) const {
    if (form_ == OutputForm::text) fmt::print("{}\n", line);
  }

  void reach(keys::KeySource& source) {
    const auto begin = steady_clock::now();
    const pkcs11::TokenInfo token = source.info();
    const double took = milliseconds_since(begin);
    say(fmt::format("{}: reached in {:.1f} ms: label \"{}\", serial {}, {} {}", source.name(), took,
                    token.label, token.serial, token.manufacturer, token.model));
    report_["tokens"].as_array().push_back({{"name", json_text(source.name())},
                                            {"label", json_text(token.label)},
                                            {"serial", json_text(token.serial)},
                                            {"manufacturer", json_text(token.manufacturer)},
                                            {"model", json_text(token.model)},
                                            {"milliseconds", took}});
  }

  // Each member of a group: counts those that cannot be used.
  void reach_each(const std::vector<keys::Replica>& members) {
    members_ = members.size();
    for (const keys::Replica& member : members) {
      try {
        member.source->recover();
        reach(*member.source);
      } catch (const pkcs11::Error& error) {
        ++failed_;
        say(fmt::format("{}: fails: {}", member.source->name(), error.what()));
        report_["tokens"].as_array().push_back(
            {{"name", json_text(member.source->name())}, {"error", json_text(error.what())}});
      }
    }
    if (failed_ == members_) throw Failure("no member of " + source_.name() + " can be used");
  }

  void connect() {
    if (const auto group = source_.replication())
      reach_each(group->replicas);
    else
      reach(source_);
    const bool logs_in = source_.pin_supply() != keys::PinSupply::none;
    report_["login"] = logs_in;
    say(logs_in ? "login: done" : "login: none, no PIN is configured; private keys may not show");
  }

  // The one that is named, or the first one that can sign, if there is one.
  std::optional<keys::Entry> key(const std::string& alias) {
    if (alias.empty()) {
      for (keys::Entry& candidate : store_.keys().entries())
        if (x509::is_signing_key(candidate)) return std::move(candidate);
      return std::nullopt;
    }
    std::optional<keys::Entry> entry = store_.keys().find(alias);
    if (!entry) throw Failure("there is no key \"" + alias + "\" on " + keys::name_with_members(source_));
    if (!x509::is_signing_key(*entry))
      throw Failure("\"" + alias + "\" is a key that cannot sign; name another one");
    return entry;
  }

  void sign(const std::optional<keys::Entry>& entry) {
    if (!entry) return say("signature: not tried, there is no key that signs");
    const double took = x509::make_trial_signature(*entry).took.count();
    say(fmt::format("signature: with \"{}\", {:.2f} ms", entry->alias, took));
    report_["signature"] = {{"alias", json_text(entry->alias)}, {"milliseconds", took}};
  }

  AliasStore& store_;
  keys::KeySource& source_;
  const OutputForm form_;
  boost::json::object report_;
  std::size_t members_ = 0;
  std::size_t failed_ = 0;
};

}  // namespace

void Test::run(AliasStore& store) const { Trial(store, form).run(alias); }

}  // namespace keystay::tools
