//===- ElementwiseOpsTest.cpp - What every elementwise op has ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Module.h"
#include "tenon/Codegen/Common/ElementEmitter.h"
#include "tenon/Dialect/Tenon/IR/Roles.h"
#include "tenon/Dialect/Tenon/IR/TenonOps.h"
#include "tenon/Dialect/Tenon/Transforms/Layout.h"

#include "gtest/gtest.h"

using namespace mlir;
using namespace tenon;

namespace {
/// One that is forgotten would be a kernel of its own, a transpose around each use, or an error when kernels are
/// lowered.
TEST(ElementwiseOps, haveRolesLayoutsAndElements) {
  Module empty("");
  unsigned count = 0;
  for (RegisteredOperationName name : empty.context.getRegisteredOperations()) {
    if (!isa<TenonDialect>(name.getDialect()) || !name.hasTrait<OpTrait::Elementwise>())
      continue;
    ++count;
    EXPECT_TRUE(name.hasInterface<RoleInterface>()) << name.getStringRef().str();
    EXPECT_TRUE(name.hasInterface<LayoutInterface>()) << name.getStringRef().str();
    EXPECT_TRUE(name.hasInterface<codegen::ElementInterface>() || name.hasInterface<DecomposableInterface>())
        << name.getStringRef().str();
  }
  EXPECT_GT(count, 40u);
}
} // namespace
