//===- NpzTensors.h - The interpreter's tensors as NumPy's arrays ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
// Strings are `<U`. Element types that NumPy doesn't have (bf16, f8, packed ones) are integers of the same
// width, whole bytes each; they may also be read from raw bytes (`V`).
//
//===----------------------------------------------------------------------===//

#ifndef TENON_TOOLS_TENON_INTERPRET_NPZTENSORS_H
#define TENON_TOOLS_TENON_INTERPRET_NPZTENSORS_H

#include "Npz.h"
#include "tenon/Reference/Tensor.h"
#include "llvm/ADT/StringMap.h"

namespace tenon {

/// Reads arrays by name, each file as FILE.npz or NAME=FILE.npy.
llvm::Error readArrays(llvm::ArrayRef<std::string> files, llvm::StringMap<npz::Array> &arrays);

/// The array as a tensor; the two must hold the same kind and width of elements.
llvm::Expected<reference::Tensor> toTensor(const npz::Array &array, mlir::Type elementType);
npz::Array toArray(const reference::Tensor &tensor);

} // namespace tenon

#endif // TENON_TOOLS_TENON_INTERPRET_NPZTENSORS_H
