//===- CheckSemanticsOptions.cpp - Options that ask for a check of each pass ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CheckSemanticsOptions.h"

#include "NpzTensors.h"
#include "llvm/Support/CommandLine.h"

using namespace mlir;
namespace cl = llvm::cl;

static cl::opt<bool>
    check("tenon-check-semantics",
          cl::desc("Interpret the module before the first pass and after each one that changes it, on the same inputs; "
                   "the first pass after which a result changes is an error"));
static cl::opt<uint64_t> seed("tenon-check-semantics-seed", cl::desc("Seed of random inputs (default 1)"),
                              cl::value_desc("N"), cl::init(1));
static cl::opt<double> tolerance("tenon-check-semantics-tolerance",
                                 cl::desc("Allowed difference of floating point, relative above 1 (default 1e-4, "
                                          "more where types narrower than f32 are computed with)"),
                                 cl::value_desc("T"), cl::init(-1));
static cl::list<std::string> sizes("tenon-check-semantics-sizes",
                                   cl::desc("Sizes of symbols for a run; repeated for each run. By default there are "
                                            "four, at small sizes, 1, sizes beyond a vector and 0"),
                                   cl::value_desc("NAME=N,.."));
static cl::list<std::string> inputs("tenon-check-semantics-inputs",
                                    cl::desc("Inputs by name, others are random; may be repeated"),
                                    cl::value_desc("FILE.npz | NAME=FILE.npy"));

static llvm::Error readSizes(StringRef text, llvm::StringMap<int64_t> &sizes) {
  SmallVector<StringRef> parts;
  text.split(parts, ',');
  for (StringRef part : parts) {
    auto [name, number] = part.split('=');
    int64_t size;
    if (number.getAsInteger(10, size) || size < 0)
      return llvm::createStringError("--tenon-check-semantics-sizes expects NAME=N,.., but has '" + text + "'");
    sizes[name] = size;
  }
  return llvm::Error::success();
}

llvm::Expected<std::optional<tenon::reference::SemanticsOptions>> tenon::semanticsOptions() {
  if (!check) {
    if (seed.getNumOccurrences() || tolerance.getNumOccurrences() || !sizes.empty() || !inputs.empty())
      return llvm::createStringError("options of --tenon-check-semantics are given without it");
    return std::nullopt;
  }
  reference::SemanticsOptions options;
  options.seed = seed;
  if (tolerance >= 0)
    options.tolerance = tolerance;
  for (StringRef run : sizes)
    if (llvm::Error error = readSizes(run, options.sizes.emplace_back()))
      return error;
  auto arrays = std::make_shared<llvm::StringMap<npz::Array>>();
  if (llvm::Error error = readArrays(inputs, *arrays))
    return error;
  options.given = [arrays](StringRef name, Type type) -> llvm::Expected<std::optional<reference::Value>> {
    auto found = arrays->find(name);
    auto ranked = dyn_cast<RankedTensorType>(type);
    if (found == arrays->end() || !ranked)
      return std::nullopt;
    llvm::Expected<reference::Tensor> tensor = toTensor(found->second, ranked.getElementType());
    if (!tensor)
      return llvm::createStringError("input '" + name + "' " + llvm::toString(tensor.takeError()));
    return reference::Value(std::move(*tensor));
  };
  return options;
}
