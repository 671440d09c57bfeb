//===- Resolve.h - Ask what is known of a pass's target ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_DIALECT_TENON_TRANSFORMS_RESOLVE_H
#define TENON_DIALECT_TENON_TRANSFORMS_RESOLVE_H

#include "mlir/IR/Operation.h"
#include "llvm/Support/Error.h"

namespace tenon {

/// What a pass's resolver (a function that gives an `llvm::Expected`) says of targets. Where there is none, as in a
/// driver that knows no targets, or where it fails, that is an error at `op`, the pass's operation.
template <typename Resolver, typename... Arguments>
auto resolve(mlir::Operation *op, const Resolver &resolver, Arguments &&...arguments)
    -> mlir::FailureOr<typename Resolver::result_type::value_type> {
  if (!resolver)
    return op->emitError("no targets are known here");
  auto found = resolver(std::forward<Arguments>(arguments)...);
  if (!found)
    return op->emitError(llvm::toString(found.takeError()));
  return std::move(*found);
}

} // namespace tenon

#endif // TENON_DIALECT_TENON_TRANSFORMS_RESOLVE_H
