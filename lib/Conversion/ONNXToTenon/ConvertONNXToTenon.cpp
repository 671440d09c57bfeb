//===- ConvertONNXToTenon.cpp - Convert the nodes of an ONNX model to the graph dialect ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Graph.h"
#include "Random.h"
#include "tenon/Conversion/Passes.h"

#include "mlir/Dialect/ControlFlow/IR/ControlFlow.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::onnx;

namespace tenon {
#define GEN_PASS_DEF_CONVERTONNXTOTENONPASS
#include "tenon/Conversion/Passes.h.inc"
} // namespace tenon

static std::string keyOf(StringRef domain, StringRef name) {
  return domain.empty() || domain == "ai.onnx" ? name.str() : (domain + "." + name).str();
}

const SmallVector<Converter> *ConverterTable::entries(StringRef domain, StringRef name) const {
  auto it = table.find(keyOf(domain, name));
  return it == table.end() ? nullptr : &it->second;
}

std::string ConverterTable::reasonAgainst(StringRef domain, StringRef name) const {
  if (const SmallVector<Converter> *known = entries(domain, name)) {
    const Converter &oldest =
        *llvm::min_element(*known, [](const Converter &a, const Converter &b) { return a.since < b.since; });
    return "the oldest form of the operator that is known is of opset " + std::to_string(oldest.since) +
           ", export the model at that or a later one";
  }
  for (StringRef last : {name, StringRef("*")})
    if (auto it = refused.find(keyOf(domain, last)); it != refused.end())
      return it->second.str();
  if (domain.empty())
    return "no conversion of the operator is known";
  return ("no conversion of the operator is known in domain '" + domain + "'").str();
}

const Converter *ConverterTable::find(StringRef domain, StringRef name, int64_t version) const {
  const Converter *best = nullptr;
  if (const SmallVector<Converter> *all = entries(domain, name))
    for (const Converter &converter : *all)
      if (converter.since <= version && (!best || converter.since > best->since))
        best = &converter;
  return best;
}

namespace {
class ConvertONNXToTenon : public tenon::impl::ConvertONNXToTenonPassBase<ConvertONNXToTenon> {
public:
  explicit ConvertONNXToTenon(Evaluator evaluator) : evaluator(std::move(evaluator)) {}

private:
  void runOnOperation() override {
    ConverterTable table;
    addAttentionConverters(table);
    addContractionConverters(table);
    addControlFlowConverters(table);
    addDataMovementConverters(table);
    addDetectionConverters(table);
    addElementwiseConverters(table);
    addIndexingConverters(table);
    addLossConverters(table);
    addMachineLearningConverters(table);
    addMatrixConverters(table);
    addMicrosoftConverters(table);
    addMicrosoftAttentionConverters(table);
    addMicrosoftContractionConverters(table);
    addMicrosoftNormalizationConverters(table);
    addMicrosoftQuantizationConverters(table);
    addMicrosoftWeightConverters(table);
    addNormalizationConverters(table);
    addQuantizationConverters(table);
    addRandomConverters(table);
    addRecurrentConverters(table);
    addReductionConverters(table);
    addResizeConverters(table);
    addSamplingConverters(table);
    addSequenceConverters(table);
    addShapeConverters(table);
    addSlicingConverters(table);
    addSpectraConverters(table);
    addStringConverters(table);
    for (auto func : getOperation().getOps<func::FuncOp>()) {
      // A function that is a graph already has no nodes.
      bool hasNodes = func.walk([](NodeOp) { return WalkResult::interrupt(); }).wasInterrupted();
      if (hasNodes && failed(Graph(func, table, evaluator).convert()))
        signalPassFailure();
    }
  }

  Evaluator evaluator;
};
} // namespace

std::unique_ptr<Pass> tenon::createConvertONNXToTenonPass(Evaluator evaluator) {
  return std::make_unique<ConvertONNXToTenon>(std::move(evaluator));
}

void tenon::registerConversionPasses(const Evaluator &evaluator) {
  mlir::registerPass([evaluator] { return createConvertONNXToTenonPass(evaluator); });
}
