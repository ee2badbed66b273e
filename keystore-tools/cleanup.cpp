#include "keystore-tools/cleanup.h"

#include <cstdio>
#include <utility>

#include <boost/json.hpp>
#include <fmt/core.h>

#include "keystore-tools/failure.h"
#include "keystore-tools/report.h"
#include "keystore-tools/terminal.h"
#include "keystore-tools/unfinished_text.h"

namespace keystay::tools {

namespace {

void report(const Cleanup& command, AliasStore& store, const std::vector<keys::Unfinished>& unfinished) {
  boost::json::array labels;
  for (const keys::Unfinished& object : unfinished) labels.emplace_back(json_text(object.label));
  boost::json::object report = report_of("cleanup", mode_of(command.dry_run), store.keys().source());
  report["unfinished"] = std::move(labels);
  write_report(command.form, report);
}

}  // namespace

void Cleanup::run(AliasStore& store) const {
  const std::vector<keys::Unfinished> unfinished = store.list().unfinished;
  if (unfinished.empty()) {
    fmt::print(stderr, "Nothing is unfinished on {}\n", store.keys().source().name());
    return report(*this, store, {});
  }
  fmt::print(stderr, "{}", describe(unfinished));
  if (dry_run) return report(*this, store, unfinished);
  if (!no_prompt) {
    const Answer answer = ask("Is nobody at work on these any more, and may they be removed? [no]:  ");
    if (answer == Answer::nobody)
      throw Failure("nobody can be asked whether to remove them; write -noprompt");
    if (answer == Answer::no) throw Failure("nothing was removed");
  }
  store.remove_unfinished(unfinished);
  fmt::print(stderr, "Removed {} unfinished object{} from {}\n", unfinished.size(),
             unfinished.size() == 1 ? "" : "s", store.keys().source().name());
  report(*this, store, unfinished);
}

}  // namespace keystay::tools
