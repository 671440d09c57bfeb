//===- ProductsInterface.h - Instructions that multiply and add ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_CODEGEN_COMMON_PRODUCTSINTERFACE_H
#define TENON_CODEGEN_COMMON_PRODUCTSINTERFACE_H

#include "tenon/Dialect/Tile/IR/TileTargets.h"

#include "mlir/IR/Builders.h"

#include "tenon/Codegen/Common/ProductsInterface.h.inc"

#endif // TENON_CODEGEN_COMMON_PRODUCTSINTERFACE_H
