#include "native/config/ticket_reader.h"

namespace keystay::config {
namespace {

using namespace std::chrono_literals;

constexpr DurationRange kRotation{1min, 720h};
constexpr DurationRange kLifetime{1min, 168h};  // RFC 8446, section 4.6.1: seven days at most
constexpr int kMostOldKeys = 16;

void take_name(const TableReader& table, std::string_view key, TicketSettings& settings) {
  settings.source = key == "alias" ? TicketSettings::Source::alias : TicketSettings::Source::file;
  settings.name =
      table.required_text(key, key == "alias" ? "\"ticket-key\"" : "\"/etc/keystay/tickets.key\"");
  settings.place = table.place(key);
}

}  // namespace

TicketSettings read_tickets(const TableReader& tlsd) {
  TicketSettings settings;
  if (!tlsd.has("tickets")) return settings;
  if (!tlsd.is_table("tickets")) {
    if (tlsd.text("tickets") != "off")
      tlsd.fail("tickets",
                "expected \"off\", or a table like { alias = \"ticket-key\", rotation = \"12h\" }");
    settings.source = TicketSettings::Source::off;
    return settings;
  }
  const TableReader table = *tlsd.table("tickets");
  table.allow({"alias", "file", "rotation", "lifetime"});
  if (table.has("alias") && table.has("file"))
    table.fail("file", "keys come from an alias or from a file, not from both");
  for (const std::string_view key : {"alias", "file"})
    if (table.has(key)) take_name(table, key, settings);
  const bool from_file = settings.source == TicketSettings::Source::file;
  if (from_file && !settings.name.starts_with('/'))
    table.fail("file", "expected an absolute path, got \"" + settings.name + "\"");
  if (from_file && table.has("rotation"))
    table.fail("rotation", "who writes the file changes its keys; remove the key");
  settings.rotation = table.duration("rotation", kRotation).value_or(settings.rotation);
  settings.lifetime = table.duration("lifetime", kLifetime).value_or(settings.lifetime);
  if (settings.lifetime > settings.rotation * kMostOldKeys)
    table.fail("rotation", "is too short for this lifetime: more than 16 old keys would open tickets");
  return settings;
}

}  // namespace keystay::config
