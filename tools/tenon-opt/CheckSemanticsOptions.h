//===- CheckSemanticsOptions.h - Options that ask for a check of each pass ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_TOOLS_TENON_OPT_CHECKSEMANTICSOPTIONS_H
#define TENON_TOOLS_TENON_OPT_CHECKSEMANTICSOPTIONS_H

#include "tenon/Reference/CheckSemantics.h"

namespace tenon {

/// What the command line says of the check, or nothing where it doesn't ask for it.
llvm::Expected<std::optional<reference::SemanticsOptions>> semanticsOptions();

} // namespace tenon

#endif // TENON_TOOLS_TENON_OPT_CHECKSEMANTICSOPTIONS_H
