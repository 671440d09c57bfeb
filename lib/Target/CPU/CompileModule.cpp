//===- CompileModule.cpp - From the LLVM dialect to objects ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CompileModule.h"

#include "mlir/IR/Threading.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"

#include "llvm/Analysis/AliasAnalysis.h"
#include "llvm/Analysis/TargetLibraryInfo.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/IntrinsicInst.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/IR/Verifier.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Object/ObjectFile.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/Target/TargetOptions.h"

#include <mutex>

using namespace mlir;
using namespace tenon;
using namespace tenon::cpu;

// The one target that is linked, by name: the macros for all targets would ask for each of them.
extern "C" {
void LLVMInitializeX86TargetInfo();
void LLVMInitializeX86Target();
void LLVMInitializeX86TargetMC();
void LLVMInitializeX86AsmPrinter();
}

namespace {
void initializeTargets() {
  static std::once_flag once;
  std::call_once(once, [] {
    LLVMInitializeX86TargetInfo();
    LLVMInitializeX86Target();
    LLVMInitializeX86TargetMC();
    LLVMInitializeX86AsmPrinter();
  });
}

std::unique_ptr<llvm::TargetMachine> makeMachine(tile::CPUTargetAttr target, CodeGoal goal, std::string &error) {
  llvm::Triple triple(target.getTriple());
  const llvm::Target *found = llvm::TargetRegistry::lookupTarget(triple, error);
  if (!found)
    return nullptr;
  llvm::TargetOptions options;
  options.AllowFPOpFusion = llvm::FPOpFusion::Standard;
  return std::unique_ptr<llvm::TargetMachine>(found->createTargetMachine(
      triple, target.getCpu(), target.getFeatures(), options, llvm::Reloc::PIC_, llvm::CodeModel::Small,
      goal == CodeGoal::speed ? llvm::CodeGenOptLevel::Default : llvm::CodeGenOptLevel::Less));
}

/// Images call nothing: LLVM must not turn code into calls of the C library.
void forbidCalls(llvm::Module &module) {
  for (llvm::Function &function : module) {
    function.setDSOLocal(true);
    if (function.isDeclaration())
      continue;
    function.addFnAttr("no-builtins");
    function.addFnAttr(llvm::Attribute::NoUnwind);
  }
}

/// What makes machine code of one module after the other: setting it up takes as long as a small kernel.
class CodeGenerator {
public:
  CodeGenerator(std::unique_ptr<llvm::TargetMachine> machine, CodeGoal goal)
      : goal(goal), machine(std::move(machine)), library(this->machine->getTargetTriple()),
        builder(this->machine.get()) {
    library.disableAllFunctions();
    functions.registerPass([&] { return llvm::TargetLibraryAnalysis(library); });
    builder.registerModuleAnalyses(modules);
    builder.registerCGSCCAnalyses(components);
    builder.registerFunctionAnalyses(functions);
    builder.registerLoopAnalyses(loops);
    builder.crossRegisterProxies(loops, functions, components, modules);
    // The vector form is already what the back end wants: a short list is as good as O3 at a quarter of its time.
    llvm::cantFail(builder.parsePassPipeline(
        passes,
        goal == CodeGoal::speed
            ? "function(sroa,early-cse,instcombine<no-verify-fixpoint>,loop-mssa(licm),early-cse<memssa>,simplifycfg)"
            : "function(early-cse,simplifycfg)"));
  }

  llvm::TargetMachine &getMachine() { return *machine; }

  void optimize(llvm::Module &module) {
    passes.run(module, modules);
    modules.clear();
    components.clear();
    functions.clear();
    loops.clear();
  }

  LogicalResult emit(llvm::Module &module, CodeKind kind, llvm::raw_pwrite_stream &out) {
    if (kind == CodeKind::llvmIR) {
      module.print(out, nullptr);
      return success();
    }
    llvm::legacy::PassManager passes;
    passes.add(new llvm::TargetLibraryInfoWrapperPass(library));
    return success(!machine->addPassesToEmitFile(passes, out, nullptr,
                                                 kind == CodeKind::object ? llvm::CodeGenFileType::ObjectFile
                                                                          : llvm::CodeGenFileType::AssemblyFile) &&
                   (passes.run(module), true));
  }

  const CodeGoal goal;

private:
  std::unique_ptr<llvm::TargetMachine> machine;
  llvm::TargetLibraryInfoImpl library;
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager components;
  llvm::ModuleAnalysisManager modules;
  llvm::PassBuilder builder;
  llvm::ModulePassManager passes;
};

/// Those of one target, as many as work at a time.
class CodeGenerators {
public:
  explicit CodeGenerators(tile::CPUTargetAttr target) : target(target) {}

  /// Null where there is none for the target.
  std::unique_ptr<CodeGenerator> take(CodeGoal goal, std::string &error) {
    {
      std::lock_guard lock(mutex);
      auto *found = llvm::find_if(idle, [&](const auto &generator) { return generator->goal == goal; });
      if (found != idle.end()) {
        std::unique_ptr<CodeGenerator> result = std::move(*found);
        idle.erase(found);
        return result;
      }
    }
    std::unique_ptr<llvm::TargetMachine> machine = makeMachine(target, goal, error);
    return machine ? std::make_unique<CodeGenerator>(std::move(machine), goal) : nullptr;
  }

  void giveBack(std::unique_ptr<CodeGenerator> generator) {
    std::lock_guard lock(mutex);
    idle.push_back(std::move(generator));
  }

private:
  tile::CPUTargetAttr target;
  std::mutex mutex;
  llvm::SmallVector<std::unique_ptr<CodeGenerator>> idle;
};

/// Whether a mask is known to have one lane; which.
std::optional<unsigned> singleLane(llvm::Value *mask) {
  auto *constant = dyn_cast<llvm::Constant>(mask);
  auto *type = dyn_cast<llvm::FixedVectorType>(mask->getType());
  if (!constant || !type)
    return std::nullopt;
  std::optional<unsigned> lane;
  for (unsigned i = 0; i < type->getNumElements(); ++i) {
    llvm::Constant *element = constant->getAggregateElement(i);
    if (!element || !(element->isOneValue() || element->isNullValue()) || (element->isOneValue() && lane))
      return std::nullopt;
    if (element->isOneValue())
      lane = i;
  }
  return lane;
}

/// Stores a number where a masked store has one lane. LLVM does the same, but where it has merged a conversion to fewer
/// bits into the store (AVX-512) it forgets that, and writes all bits of the wide element over what follows.
void storeSingleLanes(llvm::Module &module) {
  for (llvm::Function &function : module)
    for (llvm::Instruction &instruction : llvm::make_early_inc_range(llvm::instructions(function))) {
      auto *store = dyn_cast<llvm::IntrinsicInst>(&instruction);
      if (!store || store->getIntrinsicID() != llvm::Intrinsic::masked_store)
        continue;
      llvm::Value *vector = store->getArgOperand(0), *pointer = store->getArgOperand(1);
      std::optional<unsigned> lane = singleLane(store->getArgOperand(2));
      if (!lane)
        continue;
      llvm::IRBuilder<> builder(store);
      llvm::Type *element = cast<llvm::VectorType>(vector->getType())->getElementType();
      uint64_t offset = *lane * module.getDataLayout().getTypeStoreSize(element);
      llvm::Value *place = builder.CreateConstInBoundsGEP1_64(builder.getInt8Ty(), pointer, offset);
      builder.CreateAlignedStore(builder.CreateExtractElement(vector, *lane), place,
                                 llvm::commonAlignment(store->getParamAlign(1).valueOrOne(), offset));
      store->eraseFromParent();
    }
}

int64_t machineCodeBytes(const ObjectCode &code) {
  auto object = llvm::object::ObjectFile::createELFObjectFile(
      llvm::MemoryBufferRef(llvm::StringRef(code.bytes.data(), code.bytes.size()), code.name));
  if (!object) {
    llvm::consumeError(object.takeError());
    return 0;
  }
  int64_t bytes = 0;
  for (const llvm::object::SectionRef &section : (*object)->sections())
    if (section.isText())
      bytes += section.getSize();
  return bytes;
}

LogicalResult compileModule(const NamedModule &source, CodeGenerators &generators, tile::CPUTargetAttr target,
                            CodeKind kind, ObjectCode &code) {
  code.name = source.name;
  ModuleOp op = source.module;
  llvm::LLVMContext context;
  std::unique_ptr<llvm::Module> module = translateModuleToLLVMIR(op, context, source.name);
  if (!module)
    return op.emitError() << "'" << source.name << "' can't be translated to LLVM IR";
  std::string error;
  std::unique_ptr<CodeGenerator> generator = generators.take(source.goal, error);
  if (!generator)
    return op.emitError() << "no code generator for " << target.getTriple() << ": " << error;
  module->setTargetTriple(generator->getMachine().getTargetTriple());
  module->setDataLayout(generator->getMachine().createDataLayout());
  module->setPICLevel(llvm::PICLevel::BigPIC);
  forbidCalls(*module);
  code.instructions = module->getInstructionCount();
  generator->optimize(*module);
  storeSingleLanes(*module);
  llvm::raw_svector_ostream out(code.bytes);
  if (failed(generator->emit(*module, kind, out)))
    return op.emitError() << "no machine code for " << target.getTriple();
  generators.giveBack(std::move(generator));
  if (kind == CodeKind::object)
    code.codeBytes = machineCodeBytes(code);
  return success();
}
} // namespace

FailureOr<std::vector<ObjectCode>> tenon::cpu::compileModules(llvm::ArrayRef<NamedModule> modules,
                                                              tile::CPUTargetAttr target, CodeKind kind,
                                                              llvm::function_ref<void(size_t)> finished) {
  std::vector<ObjectCode> codes(modules.size());
  if (modules.empty())
    return codes;
  initializeTargets();
  MLIRContext *context = NamedModule(modules.front()).module.getContext();
  DialectRegistry registry;
  registerBuiltinDialectTranslation(registry);
  registerLLVMDialectTranslation(registry);
  context->appendDialectRegistry(registry);
  CodeGenerators generators(target);
  std::mutex mutex;
  size_t done = 0;
  if (failed(failableParallelForEachN(context, 0, modules.size(), [&](size_t i) {
        LogicalResult result = compileModule(modules[i], generators, target, kind, codes[i]);
        std::lock_guard lock(mutex);
        ++done;
        if (finished)
          finished(done);
        return result;
      })))
    return failure();
  return codes;
}
