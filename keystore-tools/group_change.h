// group add, remove, promote and reorder: the members of a group changed in keystay.toml itself.
//
// Only the array `members` of the group's section changes; comments, order and all else stay. The file is
// replaced as a whole, with its owner and permissions, and not at all if it would be refused with these
// members. Each command says what the members are then, and what makes servers notice. Throws Failure and
// config::Error; the file is as it was then.
#pragma once

#include <string>

#include "keystore-tools/output_form.h"
#include "keystore-tools/store_options.h"

namespace keystay::tools {

struct GroupAdd {
  std::string member;  // a token of the configuration; it gets the lowest priority
  bool force = false;  // though it cannot be used, or lacks keys of the group
  bool dry_run = false;
  OutputForm form = OutputForm::text;

  // Connects to the token and to the members first, and compares. Throws Failure if the token does not answer
  // or lacks a key that a member has, unless forced to; and if it is a member under another name.
  void run(const StoreOptions& options) const;
};

struct GroupRemove {
  std::string member;
  bool dry_run = false;
  OutputForm form = OutputForm::text;

  void run(const StoreOptions& options) const;
};

struct GroupPromote {
  std::string member;  // it gets the highest priority
  bool dry_run = false;
  OutputForm form = OutputForm::text;

  void run(const StoreOptions& options) const;
};

struct GroupReorder {
  std::string order;  // "hsm-b,hsm-a,hsm-c": each member once
  bool dry_run = false;
  OutputForm form = OutputForm::text;

  void run(const StoreOptions& options) const;
};

}  // namespace keystay::tools
