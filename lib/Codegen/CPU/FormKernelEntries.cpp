//===- FormKernelEntries.cpp - Give each lowered kernel its C entry point ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Codegen/CPU/Passes.h"
#include "tenon/Codegen/Common/Passes.h"
#include "tenon/Runtime/KernelABI.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

using namespace mlir;
using namespace tenon;

namespace tenon::cpu {
#define GEN_PASS_DEF_FORMKERNELENTRIESPASS
#include "tenon/Codegen/CPU/Passes.h.inc"
} // namespace tenon::cpu

namespace {
/// Makes the entry of one kernel.
class Entry {
public:
  explicit Entry(LLVM::LLVMFuncOp body)
      : body(body), builder(body), loc(body.getLoc()), pointer(LLVM::LLVMPointerType::get(body.getContext())),
        i32(builder.getI32Type()), i64(builder.getI64Type()) {}

  LogicalResult form() {
    StringAttr name = body.getSymNameAttr();
    std::string inner = (name.getValue() + ".body").str();
    if (failed(checkFunction(inner)) || failed(readCounts()))
      return failure();
    body.setSymName(inner);
    body.setLinkage(LLVM::Linkage::Internal);
    // Inlining would only turn `noalias` into metadata that later passes lose.
    body.setNoInline(true);
    for (auto [i, type] : llvm::enumerate(body.getArgumentTypes()))
      if (isa<LLVM::LLVMPointerType>(type))
        body.setArgAttr(i, LLVM::LLVMDialect::getNoAliasAttrName(), builder.getUnitAttr());
    builder.setInsertionPointAfter(body);
    auto entry =
        LLVM::LLVMFuncOp::create(builder, loc, name, LLVM::LLVMFunctionType::get(i32, {pointer, i64, i64, i32}));
    Block *block = entry.addEntryBlock(builder);
    builder.setInsertionPointToStart(block);
    args = block->getArgument(0);

    SmallVector<Value> operands;
    loadArray(abi::KernelArgs::buffers, counts[0], pointer, operands, places);
    loadArray(abi::KernelArgs::constants, constants, pointer, operands);
    loadArray(abi::KernelArgs::strides, counts[1], i64, operands);
    loadArray(abi::KernelArgs::symbols, counts[2], i64, operands);
    operands.append({block->getArgument(1), block->getArgument(2)});
    if (hasScratch)
      operands.push_back(scratchOf(block->getArgument(3)));
    if (hasLaunchScratch)
      operands.push_back(field(abi::KernelArgs::launchScratch, pointer));
    if (checks)
      operands.push_back(LLVM::GEPOp::create(builder, loc, pointer, structOf(abi::kErrorSlot),
                                             field(abi::KernelArgs::error, pointer),
                                             ArrayRef<LLVM::GEPArg>{block->getArgument(3)}));
    auto call = LLVM::CallOp::create(builder, loc, body, operands);
    Value code = body.getFunctionType().getReturnType() == i32 ? call.getResult()
                                                               : Value(LLVM::ConstantOp::create(builder, loc, i32, 0));
    LLVM::ReturnOp::create(builder, loc, code);
    return success();
  }

private:
  /// A function that only launches name.
  LogicalResult checkFunction(StringRef inner) {
    Operation *module = body->getParentOp();
    if (body.isExternal() || body.isVarArg())
      return body.emitOpError("expects a body and a fixed number of arguments of a kernel");
    if (SymbolTable::lookupSymbolIn(module, inner))
      return body.emitOpError() << "needs the name '" << inner << "', which is taken";
    // What can refer to a function: a search in all attributes takes as long as converting the kernel.
    WalkResult result = module->walk([&](Operation *op) {
      auto call = dyn_cast<LLVM::CallOp>(op);
      auto address = dyn_cast<LLVM::AddressOfOp>(op);
      if ((!call || call.getCallee() != body.getSymName()) &&
          (!address || address.getGlobalName() != body.getSymName()))
        return WalkResult::advance();
      op->emitOpError() << "calls kernel '" << body.getSymName() << "', which only launches do";
      return WalkResult::interrupt();
    });
    return failure(result.wasInterrupted());
  }

  LogicalResult readCounts() {
    auto kernel = body->getAttrOfType<DictionaryAttr>(codegen::kKernelAttr);
    checks = body->hasAttr(codegen::kChecksAttr);
    hasScratch = body->hasAttr(codegen::kScratchAttr);
    hasLaunchScratch = body->hasAttr(codegen::kLaunchScratchAttr);
    int64_t pointers = int64_t(hasScratch) + int64_t(hasLaunchScratch) + int64_t(checks), total = 2 + pointers;
    constexpr llvm::StringLiteral names[] = {"buffers", "strides", "symbols"};
    for (auto [i, name] : llvm::enumerate(names)) {
      auto count = kernel.getAs<IntegerAttr>(name);
      if (!count || !count.getType().isInteger(64) || count.getInt() < 0 || count.getInt() > body.getNumArguments())
        return body.emitOpError() << "expects " << codegen::kKernelAttr << " to state the number of " << name;
      counts[i] = count.getInt();
      total += counts[i];
    }
    if (auto count = kernel.getAs<IntegerAttr>("constants"))
      constants = count.getInt();
    total += constants;
    if (auto known = kernel.getAs<DenseI64ArrayAttr>("places")) {
      places = known.asArrayRef();
      if ((int64_t)places.size() != counts[0] ||
          llvm::any_of(places, [](int64_t place) { return place < 0 || place > std::numeric_limits<int32_t>::max(); }))
        return body.emitOpError() << "expects a place of each of " << counts[0] << " buffers, has " << known;
    }
    if (total != (int64_t)body.getNumArguments())
      return body.emitOpError() << "expects " << total << " arguments as stated by " << codegen::kKernelAttr << ", has "
                                << body.getNumArguments();
    for (auto [i, type] : llvm::enumerate(body.getArgumentTypes())) {
      // Scratch and the place of an error come last.
      bool isPointer = (int64_t)i < counts[0] + constants || (int64_t)i >= total - pointers;
      if (type != (isPointer ? pointer : i64))
        return body.emitOpError() << "expects argument " << i << " to be "
                                  << (isPointer ? "a pointer" : "an integer of 64 bits") << ", it is " << type;
    }
    return success();
  }

  template <size_t n> Type structOf(const std::array<abi::Field, n> &fields) {
    return LLVM::LLVMStructType::getLiteral(body.getContext(), abi::typesOf<Type>(fields, pointer, i32, i64));
  }

  Value field(abi::KernelArgs number, Type type) {
    Value address = LLVM::GEPOp::create(builder, loc, pointer, structOf(abi::kKernelArgs), args,
                                        ArrayRef<LLVM::GEPArg>{0, int32_t(number)});
    return LLVM::LoadOp::create(builder, loc, type, address);
  }

  /// The worker's own part of the launch's scratch.
  Value scratchOf(Value worker) {
    Value wide = LLVM::SExtOp::create(builder, loc, i64, worker);
    Value offset = LLVM::MulOp::create(builder, loc, wide, field(abi::KernelArgs::scratchStride, i64));
    return LLVM::GEPOp::create(builder, loc, pointer, builder.getI8Type(), field(abi::KernelArgs::scratch, pointer),
                               ArrayRef<LLVM::GEPArg>{offset});
  }

  /// Elements at `places`, if there are some, else the first ones.
  void loadArray(abi::KernelArgs number, int64_t count, Type type, SmallVectorImpl<Value> &values,
                 ArrayRef<int64_t> places = {}) {
    if (count == 0)
      return;
    Value array = field(number, pointer);
    for (int64_t i = 0; i < count; ++i) {
      int32_t place = places.empty() ? i : places[i];
      Value address = LLVM::GEPOp::create(builder, loc, pointer, type, array, ArrayRef<LLVM::GEPArg>{place});
      values.push_back(LLVM::LoadOp::create(builder, loc, type, address));
    }
  }

  LLVM::LLVMFuncOp body;
  OpBuilder builder;
  Location loc;
  Type pointer, i32, i64;
  Value args;
  int64_t counts[3] = {}, constants = 0;
  ArrayRef<int64_t> places;
  bool checks = false, hasScratch = false, hasLaunchScratch = false;
};

struct FormKernelEntriesPass : cpu::impl::FormKernelEntriesPassBase<FormKernelEntriesPass> {
  void runOnOperation() override {
    for (auto func : llvm::make_early_inc_range(getOperation().getOps<LLVM::LLVMFuncOp>()))
      if (func->getAttrOfType<DictionaryAttr>(codegen::kKernelAttr) && failed(Entry(func).form()))
        return signalPassFailure();
  }
};
} // namespace
