//===- TenonGraphPrecompiled.h - What files that stand on the graph dialect include, precompiled once ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TenonPrecompiled.h"
#include "tenon/Dialect/Tenon/IR/TenonOps.h"
