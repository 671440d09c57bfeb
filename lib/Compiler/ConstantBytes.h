//===- ConstantBytes.h - The bytes of constants as kernels read them ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_COMPILER_CONSTANTBYTES_H
#define TENON_LIB_COMPILER_CONSTANTBYTES_H

#include "mlir/IR/BuiltinAttributes.h"
#include "llvm/Support/Error.h"

namespace tenon {
/// Takes the next bytes; false when it can't.
using ByteSink = llvm::function_ref<bool(llvm::ArrayRef<char>)>;

/// The elements of a constant as they are stored: mapped ones, or `storage`.
llvm::Expected<llvm::ArrayRef<char>> bytesOf(mlir::TypedAttr value, std::vector<char> &storage);

/// Gives bytes to `sink`, in pieces.
llvm::Error writePieces(llvm::ArrayRef<char> bytes, ByteSink sink);

/// Gives the elements of a constant to `sink`, in pieces: rows contiguous, booleans as bytes, narrower
/// elements packed from the lowest bits. Large constants are mapped, and let go of on the way.
llvm::Error writeConstant(mlir::TypedAttr value, ByteSink sink);
} // namespace tenon

#endif // TENON_LIB_COMPILER_CONSTANTBYTES_H
