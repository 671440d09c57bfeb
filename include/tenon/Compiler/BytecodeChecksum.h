//===- BytecodeChecksum.h - Damage of bytecode found before it is read ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
// MLIR's bytecode has no checksum, and its reader believes counts and positions: one damaged bit may crash it, or let
// it turn for ever. So Tenon's tools write the checksum of all that follows where bytecode names its producer, which
// any reader skips, and look at it before anything is read. Bytecode of other producers is read as it is.
//
// The head of a file, https://mlir.llvm.org/docs/BytecodeFormat: "ML\xefR", a version of one byte, the producer, NUL.
//
//===----------------------------------------------------------------------===//

#ifndef TENON_COMPILER_BYTECODECHECKSUM_H
#define TENON_COMPILER_BYTECODECHECKSUM_H

#include "mlir/Support/LLVM.h"
#include "llvm/Support/Error.h"

namespace tenon {

/// Writes the checksum in place of the producer, as long as that was: what follows is aligned by where it lies. Leaves
/// what is no bytecode, or names a producer that is too short.
void sealBytecode(llvm::MutableArrayRef<char> content);

/// An error where bytecode with a checksum isn't what was written.
llvm::Error checkBytecode(llvm::StringRef content);

} // namespace tenon

#endif // TENON_COMPILER_BYTECODECHECKSUM_H
