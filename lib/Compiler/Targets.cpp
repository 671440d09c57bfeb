//===- Targets.cpp - Descriptions of targets as attributes ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Targets.h"

using namespace mlir;
using namespace tenon;

tile::TargetAttr tenon::attributeOf(MLIRContext *context, const cpu::TargetDescription &target) {
  return tile::TargetAttr::get(context, target.name, target.triple, target.cpu, target.featureString(),
                               target.vectorBytes, target.vectorRegisters, target.level1Bytes, target.level2Bytes,
                               target.level3Bytes, target.fmasPerCycle, target.loadsPerCycle, target.fmaLatency,
                               target.level2BytesPerCycle);
}

cpu::TargetDescription tenon::descriptionOf(tile::TargetAttr target) {
  cpu::TargetDescription result;
  result.name = target.getName().str();
  result.triple = target.getTriple().str();
  result.cpu = target.getCpu().str();
  SmallVector<StringRef> features;
  target.getFeatures().split(features, ',', /*MaxSplit=*/-1, /*KeepEmpty=*/false);
  for (StringRef feature : features)
    result.features.push_back(feature.ltrim('+').str());
  result.vectorBytes = target.getVectorBytes();
  result.vectorRegisters = target.getVectorRegisters();
  result.level1Bytes = target.getLevel1Bytes();
  result.level2Bytes = target.getLevel2Bytes();
  result.level3Bytes = target.getLevel3Bytes();
  result.fmasPerCycle = target.getFmasPerCycle();
  result.loadsPerCycle = target.getLoadsPerCycle();
  result.fmaLatency = target.getFmaLatency();
  result.level2BytesPerCycle = target.getLevel2BytesPerCycle();
  return result;
}

llvm::Expected<SmallVector<tile::TargetAttr>> tenon::resolveTargets(MLIRContext *context, StringRef list) {
  llvm::Expected<SmallVector<cpu::TargetDescription>> targets = cpu::parseTargets(list);
  if (!targets)
    return targets.takeError();
  return llvm::map_to_vector(*targets, [&](const auto &target) { return attributeOf(context, target); });
}
