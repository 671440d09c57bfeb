//===- FormEvaluation.h - Constants in the forms that programs want them in ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_COMPILER_FORMEVALUATION_H
#define TENON_LIB_COMPILER_FORMEVALUATION_H

#include "ConstantBytes.h"
#include "tenon/Dialect/Tile/IR/TilePrograms.h"

namespace tenon {
/// Gives what a form makes of constants to `sink`, in pieces, as they are stored. What only moves elements, and fills
/// with others, is one strided copy of a constant that may be mapped; anything else is computed by the interpreter.
/// Of the form's arguments only the elements and their number count: a constant may have other sizes.
llvm::Error writeFormed(tile::FormOp form, llvm::ArrayRef<mlir::TypedAttr> constants, ByteSink sink);
} // namespace tenon

#endif // TENON_LIB_COMPILER_FORMEVALUATION_H
