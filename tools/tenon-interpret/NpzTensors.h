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

namespace tenon {

/// The array as a tensor; the two must hold the same kind and width of elements.
llvm::Expected<reference::Tensor> toTensor(const npz::Array &array, mlir::Type elementType);
npz::Array toArray(const reference::Tensor &tensor);

} // namespace tenon

#endif // TENON_TOOLS_TENON_INTERPRET_NPZTENSORS_H
