//===- Strategies.cpp - The strategies of this library ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Codegen/Common/Strategies.h"

using namespace mlir;
using namespace tenon;

void codegen::registerStrategies(DialectRegistry &registry) {
  registry.addExtension(+[](MLIRContext *, tile::TileDialect *dialect) {
    // Those that take less come later: they are asked first.
    addElementsStrategy(dialect);
    addTransposesStrategy(dialect);
    addRowsStrategy(dialect);
    addContractionStrategy(dialect);
    addOrderedStrategy(dialect);
    addTopKStrategy(dialect);
  });
}
