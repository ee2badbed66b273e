// What a command did, for programs: with -o json one object on standard output, beside the sentences for
// people on standard error. The keys stand in docs/user/keystay.md, "Output for programs".
#pragma once

#include <string_view>

#include <boost/json/fwd.hpp>

#include "keystore-tools/output_form.h"

namespace keystay::keys {
class KeySource;
}

namespace keystay::tools {

enum class Mode {
  done,
  dry_run,  // it only said what it would do
};

// The members that each report begins with; the others are the command's.
[[nodiscard]] boost::json::object report_of(std::string_view command, Mode mode);
// Of one that works on aliases: with the name of the token or the group.
[[nodiscard]] boost::json::object report_of(std::string_view command, Mode mode,
                                            const keys::KeySource& source);
// Of one that changes nothing.
[[nodiscard]] boost::json::object report_of(std::string_view command, const keys::KeySource& source);
[[nodiscard]] constexpr Mode mode_of(bool dry_run) { return dry_run ? Mode::dry_run : Mode::done; }

// null for an empty text.
[[nodiscard]] boost::json::value text_or_null(std::string_view text);

// Nothing for people, to whom the command has spoken already. Throws Failure.
void write_report(OutputForm form, const boost::json::object& report);

}  // namespace keystay::tools
