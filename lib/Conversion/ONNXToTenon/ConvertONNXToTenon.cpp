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
#include <map>

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

static const Converter &oldestOf(ArrayRef<Converter> known) {
  return *llvm::min_element(known, [](const Converter &a, const Converter &b) { return a.since < b.since; });
}

std::string ConverterTable::reasonAgainst(StringRef domain, StringRef name) const {
  if (const SmallVector<Converter> *known = entries(domain, name)) {
    return "the oldest form of the operator that is known is of opset " + std::to_string(oldestOf(*known).since) +
           ", export the model at that or a later one";
  }
  for (StringRef last : {name, StringRef("*")})
    if (auto it = refused.find(keyOf(domain, last)); it != refused.end())
      return it->second.str();
  if (domain.empty())
    return "no conversion of the operator is known";
  return ("no conversion of the operator is known in domain '" + domain + "'").str();
}

void ConverterTable::print(raw_ostream &os) const {
  std::map<StringRef, std::string> lines;
  for (auto &[name, reason] : refused)
    lines[name] = ": " + reason.str();
  for (auto &[name, known] : table)
    lines[name] = " " + std::to_string(oldestOf(known).since);
  for (auto &[name, text] : lines)
    os << name << text << "\n";
}

const Converter *ConverterTable::find(StringRef domain, StringRef name, int64_t version) const {
  const Converter *best = nullptr;
  if (const SmallVector<Converter> *all = entries(domain, name))
    for (const Converter &converter : *all)
      if (converter.since <= version && (!best || converter.since > best->since))
        best = &converter;
  return best;
}

static ConverterTable makeConverterTable() {
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
  return table;
}

namespace {
class ConvertONNXToTenon : public tenon::impl::ConvertONNXToTenonPassBase<ConvertONNXToTenon> {
public:
  ConvertONNXToTenon(Evaluator evaluator, const NamedSizes &fixed) : evaluator(std::move(evaluator)) {
    for (auto &[name, size] : fixed)
      sizes.push_back(name + "=" + std::to_string(size));
  }

private:
  void runOnOperation() override {
    ConverterTable table = makeConverterTable();
    FailureOr<llvm::StringMap<int64_t>> fixed = fixedSizes();
    if (failed(fixed))
      return signalPassFailure();
    bool isConverted = false;
    for (auto func : getOperation().getOps<func::FuncOp>()) {
      // A function that is a graph already has no nodes.
      bool hasNodes = func.walk([](NodeOp) { return WalkResult::interrupt(); }).wasInterrupted();
      if (hasNodes && failed(Graph(func, table, evaluator, *fixed).convert()))
        signalPassFailure();
      isConverted |= hasNodes;
    }
    if (!isConverted && !fixed->empty()) {
      getOperation().emitError("sizes are fixed where nodes of a model are converted, but the module has none");
      signalPassFailure();
    }
  }

  FailureOr<llvm::StringMap<int64_t>> fixedSizes() {
    auto parsed = parseNamedSizes(llvm::to_vector(sizes));
    if (!parsed)
      return getOperation().emitError() << llvm::toString(parsed.takeError());
    llvm::StringMap<int64_t> result;
    for (auto &[name, size] : *parsed)
      result[name] = size;
    return result;
  }

  Evaluator evaluator;
};
} // namespace

llvm::Expected<NamedSizes> tenon::parseNamedSizes(ArrayRef<std::string> texts) {
  NamedSizes result;
  for (const std::string &text : texts) {
    auto [name, number] = StringRef(text).rsplit('=');
    int64_t size;
    if (name.empty() || number.getAsInteger(10, size) || size < 0)
      return llvm::createStringError("a size is given as NAME=N, not '" + text + "'");
    auto known = llvm::find_if(result, [&](const auto &other) { return other.first == name; });
    if (known != result.end() && known->second != size)
      return llvm::createStringError("size '" + known->first + "' is given twice, as " + std::to_string(known->second) +
                                     " and " + std::to_string(size));
    result.emplace_back(name.str(), size);
  }
  return result;
}

void tenon::printONNXOperators(raw_ostream &os) { makeConverterTable().print(os); }

std::unique_ptr<Pass> tenon::createConvertONNXToTenonPass(Evaluator evaluator, const NamedSizes &sizes) {
  return std::make_unique<ConvertONNXToTenon>(std::move(evaluator), sizes);
}

void tenon::registerConversionPasses(const Evaluator &evaluator) {
  mlir::registerPass([evaluator] { return createConvertONNXToTenonPass(evaluator); });
}
