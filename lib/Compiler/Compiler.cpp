//===- Compiler.cpp - From a model to an artifact ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Compiler/Compiler.h"
#include "tenon/Compiler/CompileCache.h"
#include "tenon/Compiler/ModelFiles.h"
#include "tenon/Dialect/Tenon/IR/BlobFiles.h"
#include "tenon/Dialect/Tenon/IR/TenonOps.h"

#include "ConstantTable.h"
#include "EncodePlan.h"
#include "FormEvaluation.h"
#include "KernelConstants.h"
#include "TargetFamilies.h"
#include "tenon/Artifact/ArtifactWriter.h"
#include "tenon/Codegen/Common/Passes.h"
#include "tenon/Compiler/Pipelines.h"
#include "tenon/Dialect/Host/Analysis/ConstantBuffers.h"
#include "tenon/Dialect/Host/Analysis/Layouts.h"
#include "tenon/Dialect/Host/IR/HostOps.h"
#include "tenon/Support/OutputFile.h"
#include "tenon/Support/Threads.h"
#include "tenon/Target/Host/HostProgram.h"

#include "mlir/IR/Verifier.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/EndianStream.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MemoryBuffer.h"

#include <chrono>
#include <map>
#ifdef __GLIBC__
#include <malloc.h>
#endif

using namespace mlir;
using namespace tenon;

namespace {
double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

/// Whether the bytes are those of the library that artifacts begin with, and not of an artifact. An empty file is one
/// too: an artifact without a runtime, for programs that have one.
bool isRuntime(StringRef bytes) {
  bool isLibrary = bytes.starts_with("\x7f"
                                     "ELF") &&
                   bytes.contains("tenon_model_self");
  bool isArtifact = bytes.take_back(sizeof(artifact::Trailer)).starts_with(artifact::kTrailerMagic);
  return bytes.empty() || (isLibrary && !isArtifact);
}

/// One compilation.
class Compilation {
public:
  Compilation(ModuleOp module, const CompileOptions &options, StringRef output, CompileReport &report)
      : module(module), options(options), output(output), report(report), last(now()),
        noteWarnings(module.getContext(), [this](Diagnostic &diagnostic) {
          hasWarned |= diagnostic.getSeverity() == DiagnosticSeverity::Warning;
          return failure();
        }) {}

  LogicalResult run() {
    // Again when it is written; an error is better now.
    if (failed(check(checkOutputFile(module.getContext(), output))))
      return failure();
    if (options.emit == Emit::import)
      return writeLevel();
    module.getContext()->loadDialect<tile::TileDialect>();
    if (options.accuracy)
      module->setAttr(tile::kAccuracyAttr,
                      StringAttr::get(module.getContext(), tile::stringifyAccuracy(*options.accuracy)));
    if (failed(openCache()) || failed(takeArtifact()))
      return failure();
    if (report.isCachedArtifact)
      return success();
    if (failed(chooseMain()))
      return failure();
    if (!findPlacedProgram()) {
      if (failed(declareAliases()))
        return failure();
      if (options.targets.empty())
        return module.emitError("no target to compile for");
      if (failed(runPipeline("graph", [&](OpPassManager &pm) {
            buildGraphPipeline(pm, {options.targets.front().getLayouts(), tile::accuracyOf(module), options.sizes});
          })))
        return failure();
      if (options.emit == Emit::graph)
        return writeLevel();
      if (failed(runPipeline("kernels", [&](OpPassManager &pm) {
            tile::TargetAttrInterface target = options.targets.front();
            buildKernelsPipeline(pm, {target.getLayouts(), target.getFusion(), options.devices, options.explainFusion});
          })))
        return failure();
    } else if (!options.sizes.empty()) {
      return module.emitError("sizes are fixed where nodes of a model are converted, but the module has none");
    } else if (failed(runPipeline("devices", [&](OpPassManager &pm) { buildDevicesPipeline(pm, options.devices); }))) {
      return failure();
    }
    if (options.emit == Emit::graph)
      return writeLevel();
    if (failed(findTargets()) ||
        failed(runPipeline("kernels", [&](OpPassManager &pm) { buildVariantsPipeline(pm, targets); })))
      return failure();
    if (options.emit == Emit::kernels)
      return writeLevel();
    if (failed(checkLaunches()))
      return failure();
    if (options.emit == Emit::plans)
      return failure(failed(runPipeline("plans", buildPlansPipeline)) || failed(writeLevel()));
    takeKernels();
    if (failed(runPipeline("tiles", buildTilesPipeline)))
      return failure();
    if (options.emit == Emit::tiles)
      return writeLevel();
    if (failed(runPipeline("loops", buildLoopsPipeline)))
      return failure();
    if (options.emit == Emit::loops)
      return writeLevel();
    for (auto [target, kernels] : llvm::zip(targets, codes))
      if (failed(compileVariants(target, kernels)))
        return failure();
    if (options.emit != Emit::artifact)
      return check(writeText(module.getContext(), output, [&](raw_ostream &out) { out << text; }));
    if (failed(compileHost()))
      return failure();
    return writeArtifact();
  }

private:
  /// Leaves one function to compile: the only one, or `main`.
  LogicalResult chooseMain() {
    SmallVector<func::FuncOp> functions = llvm::to_vector(llvm::make_filter_range(
        module.getOps<func::FuncOp>(), [](func::FuncOp f) { return !f.isExternal() && !f->hasAttr(host::kPlanAttr); }));
    if (functions.size() < 2)
      return success();
    std::string names =
        llvm::join(llvm::map_range(functions, [](func::FuncOp f) { return ("@" + f.getName()).str(); }), ", ");
    if (llvm::none_of(functions, [](func::FuncOp f) { return f.getName() == "main"; }))
      return module.emitError() << "the module has " << functions.size() << " functions (" << names
                                << "), but one is compiled: name it @main";
    for (func::FuncOp function : functions)
      if (function.getName() != "main" && SymbolTable::symbolKnownUseEmpty(function, module)) {
        function.emitWarning() << "@" << function.getName() << " is not compiled, only @main is";
        function.erase();
      }
    return success();
  }

  /// The function with storages: there once buffers are placed.
  func::FuncOp findPlacedProgram() {
    for (auto func : module.getOps<func::FuncOp>())
      if (host::isPlaced(func))
        return func;
    return nullptr;
  }

  /// States on the model's results which inputs they may share a buffer with.
  LogicalResult declareAliases() {
    if (options.aliases.empty())
      return success();
    if (!options.devices.empty())
      return module.emitError("outputs that share a buffer with an input can't be on a device");
    auto funcs = llvm::make_filter_range(module.getOps<func::FuncOp>(), [](func::FuncOp f) { return !f.isExternal(); });
    if (funcs.empty())
      return module.emitError("the model has no function");
    func::FuncOp main = *funcs.begin();
    for (auto &[output, input] : options.aliases) {
      auto find = [&](StringRef name, unsigned count, function_ref<StringAttr(unsigned)> nameOf) {
        for (unsigned i = 0; i < count; ++i)
          if (StringAttr known = nameOf(i); known && known == name)
            return int(i);
        return -1;
      };
      int result = find(output, main.getNumResults(),
                        [&](unsigned i) { return main.getResultAttrOfType<StringAttr>(i, "tenon.name"); });
      int argument = find(input, main.getNumArguments(),
                          [&](unsigned i) { return main.getArgAttrOfType<StringAttr>(i, "tenon.name"); });
      if (result < 0 || argument < 0)
        return module.emitError() << "the model has no " << (result < 0 ? "output" : "input") << " named '"
                                  << (result < 0 ? output : input) << "'";
      main.setResultAttr(result, host::kAliasAttr, Builder(module.getContext()).getI64IntegerAttr(argument));
    }
    return success();
  }

  void showProgress(StringRef stage, size_t done = 0, size_t total = 0) {
    if (options.progress)
      options.progress(stage, done, total);
  }

  /// Ends a stage of the report.
  void finishStage(StringRef name) {
    double time = now();
    for (CompileReport::Stage &stage : report.stages)
      if (stage.name == name) {
        stage.seconds += time - last;
        last = time;
        return;
      }
    report.stages.push_back({name.str(), time - last});
    last = time;
  }

  bool isCancelled() const { return options.isCancelled && options.isCancelled(); }

  LogicalResult runPasses(ModuleOp op, function_ref<void(OpPassManager &)> build) {
    if (isCancelled())
      return failure();
    PassManager pm(op.getContext());
    if (options.preparePasses && failed(options.preparePasses(pm)))
      return failure();
    // IR is verified where levels meet.
    pm.enableVerifier(false);
    build(pm);
    return pm.run(op);
  }

  LogicalResult runOn(ModuleOp op, function_ref<void(OpPassManager &)> build) {
    return success(succeeded(runPasses(op, build)) && succeeded(verify(op)));
  }

  LogicalResult runPipeline(StringRef name, function_ref<void(OpPassManager &)> build) {
    showProgress(name);
    LogicalResult result = runOn(module, build);
    finishStage(name);
    return result;
  }

  /// Reports an error of files: it is at no place of the model.
  LogicalResult check(llvm::Error error) {
    if (!error)
      return success();
    return emitError(UnknownLoc::get(module.getContext())) << llvm::toString(std::move(error));
  }

  /// Values have the names that the model gives them, as long as most of them are values of the model.
  LogicalResult writeLevel() {
    return check(writeModel(module, output, OpPrintingFlags().printNameLocAsPrefix(options.emit != Emit::loops)));
  }

  //===--------------------------------------------------------------------===//
  // The cache
  //===--------------------------------------------------------------------===//

  LogicalResult openCache() {
    if (options.cacheDirectory.empty() || options.emit != Emit::artifact)
      return success();
    cache.emplace(options.cacheDirectory, options.cacheLimit);
    return check(cache->open());
  }

  /// Weights above this are written and read again no faster than they are compiled: only their kernels are kept.
  static constexpr uint64_t largestArtifact = uint64_t(128) << 20;

  bool isLarge() {
    uint64_t bytes = 0;
    module.walk(
        [&](Operation *op) { op->getAttrDictionary().walk([&](tenon::BlobAttr blob) { bytes += blob.getBytes(); }); });
    return bytes > largestArtifact;
  }

  /// Writes the artifact that this compilation would give, if the cache has it.
  LogicalResult takeArtifact() {
    if (!cache || isLarge() || options.explainFusion)
      return success();
    showProgress("cache");
    auto runtime = readRuntime();
    if (failed(runtime))
      return failure();
    llvm::Expected<std::string> content = contentOf(module);
    if (!content)
      return check(content.takeError());
    std::string asked;
    llvm::raw_string_ostream out(asked);
    for (tile::TargetAttrInterface target : options.targets)
      out << target << "\n";
    for (const std::string &rule : options.devices)
      out << "device " << rule << "\n";
    for (auto &[result, argument] : options.aliases)
      out << "alias " << result << "\0" << argument << "\n";
    for (auto &[name, size] : options.sizes)
      out << "size " << name << "=" << size << "\n";
    artifactKey = cache->keyOf({"artifact", *content, asked, options.modelName, (*runtime)->getBuffer()});
    std::optional<CompileCache::Entry> entry = cache->lookup(artifactKey);
    if (entry) {
      OutputFile file(output.str(), artifact::kFilePermissions);
      if (!file.append(entry->bytes.data(), entry->bytes.size()) || !file.keep())
        return check(llvm::createStringError(file.error()));
      report.isCachedArtifact = true;
    }
    finishStage("cache");
    return success();
  }

  /// Keeps what was written; not of a compilation with warnings, which the next one is to give too.
  void keepArtifact() {
    if (artifactKey.empty() || hasWarned || !llvm::sys::fs::is_regular_file(output))
      return;
    if (auto file = llvm::MemoryBuffer::getFile(output, /*IsText=*/false, /*RequiresNullTerminator=*/false))
      cache->insert(artifactKey, (*file)->getBuffer());
  }

  //===--------------------------------------------------------------------===//
  // Kernels
  //===--------------------------------------------------------------------===//

  /// The targets that the module's variants are for, or else those that are asked for.
  LogicalResult findTargets() {
    targets = options.targets;
    auto known = module.getOps<tile::VariantsOp>();
    if (known.empty())
      return targets.empty() ? module.emitError("no target to compile for") : success();
    SmallVector<tile::TargetAttrInterface> present;
    for (tile::VariantOp variant : (*known.begin()).getOps<tile::VariantOp>())
      present.push_back(variant.getTarget());
    if (targets.empty())
      targets = present;
    if (targets == present)
      return success();
    auto names = [](ArrayRef<tile::TargetAttrInterface> list) {
      return llvm::join(llvm::map_range(list, [](auto target) { return target.getName(); }), ",");
    };
    return module.emitError() << "has variants for other targets (" << names(present) << ") than what is asked for ("
                              << names(targets) << ")";
  }

  /// What is launched is there for each target.
  LogicalResult checkLaunches() {
    SymbolTable symbols(module);
    LogicalResult result = success();
    module.walk([&](host::LaunchOp launch) {
      auto variants = symbols.lookup<tile::VariantsOp>(launch.getKernel());
      if (!variants) {
        launch.emitOpError() << "launches '" << launch.getKernel() << "', which is no kernel";
        result = failure();
        return;
      }
      for (tile::TargetAttrInterface target : targets)
        if (tile::VariantOp variant = variantOf(variants, target)) {
          result = success(succeeded(result) && succeeded(checkConstants(launch, variant)));
        } else {
          launch.emitOpError() << "launches '" << launch.getKernel() << "', which has no variant for target '"
                               << target.getName() << "'";
          result = failure();
        }
    });
    return result;
  }

  /// What a variant takes in a form is a constant: said before kernels are compiled.
  static LogicalResult checkConstants(host::LaunchOp launch, tile::VariantOp variant) {
    for (const FormedConstant &constant : constantsOf(variant))
      for (int64_t operand : constant.operands)
        if (operand >= 0 && operand < (int64_t)launch.getIns().size() && !host::wholeConstant(launch.getIns()[operand]))
          return launch.emitOpError() << "launches '" << launch.getKernel() << "', whose variant for target '"
                                      << variant.getTarget().getName() << "' wants operand " << operand
                                      << " in a form, with one that is no constant";
    return success();
  }

  static tile::VariantOp variantOf(tile::VariantsOp variants, tile::TargetAttrInterface target) {
    for (auto variant : variants.getOps<tile::VariantOp>())
      if (variant.getTarget() == target)
        return variant;
    return nullptr;
  }

  /// The code of a kernel for a target.
  struct KernelCode {
    std::string name;
    ObjectCode code;
    LaunchPlan plan;
    tile::VariantOp variant; ///< none where the code comes from the cache
    std::string key;
    KernelConstants takes;
  };

  /// Lists what is to be compiled, in the order in which it is linked. What the cache has needs no lowering.
  void takeKernels() {
    for (tile::TargetAttrInterface target : targets) {
      std::vector<KernelCode> &kernels = codes.emplace_back();
      for (auto variants : module.getOps<tile::VariantsOp>()) {
        tile::VariantOp variant = variantOf(variants, target);
        if (!variant)
          continue;
        KernelCode &kernel = kernels.emplace_back();
        kernel.name = kernel.code.name = variants.getSymName().str();
        kernel.variant = variant;
        if (!cache || options.emit != Emit::artifact)
          continue;
        std::string text;
        llvm::raw_string_ostream out(text);
        out << variant;
        out << contentOfForms(variant);
        kernel.key =
            cache->keyOf({"kernel", kernel.code.name, tile::stringifyAccuracy(tile::accuracyOf(module)), text});
        if (std::optional<CompileCache::Entry> entry = cache->lookup(kernel.key);
            entry && readCode(entry->bytes, kernel)) {
          variant.erase();
          kernel.variant = nullptr;
          ++report.cachedKernels;
        }
      }
    }
  }

  /// Code in the cache: what is counted of it, the words of its plan, its forms as a module's text, and the object.
  bool readCode(StringRef bytes, KernelCode &kernel) {
    auto next = [&] {
      int64_t number = llvm::support::endian::read64le(bytes.data());
      bytes = bytes.drop_front(sizeof(int64_t));
      return number;
    };
    constexpr size_t headerNumbers = 5;
    if (bytes.size() < headerNumbers * sizeof(int64_t))
      return false;
    kernel.code.instructions = next();
    kernel.code.codeBytes = next();
    kernel.plan.gridCount = next();
    size_t words = next(), formBytes = next();
    if (words > bytes.size() / sizeof(int64_t) || formBytes > bytes.size() - words * sizeof(int64_t))
      return false;
    kernel.plan.words.resize(words);
    for (int64_t &word : kernel.plan.words)
      word = next();
    if (formBytes != 0 && !kernel.takes.parse(bytes.take_front(formBytes), module.getContext()))
      return false;
    kernel.code.bytes.assign(bytes.begin() + formBytes, bytes.end());
    return true;
  }

  void keepCode(const KernelCode &kernel) {
    SmallVector<char, 0> bytes;
    llvm::raw_svector_ostream out(bytes);
    auto write = [&](int64_t number) { llvm::support::endian::write<int64_t>(out, number, llvm::endianness::little); };
    std::string forms = kernel.takes.print(module.getContext());
    for (int64_t number : {kernel.code.instructions, kernel.code.codeBytes, (int64_t)kernel.plan.gridCount,
                           (int64_t)kernel.plan.words.size(), (int64_t)forms.size()})
      write(number);
    for (int64_t word : kernel.plan.words)
      write(word);
    out << forms << StringRef(kernel.code.bytes.data(), kernel.code.bytes.size());
    cache->insert(kernel.key, StringRef(bytes.data(), bytes.size()));
  }

  LogicalResult compileVariants(tile::TargetAttrInterface target, std::vector<KernelCode> &all) {
    const TargetBackend *backend = findBackend(target);
    if (!backend)
      return module.emitError() << "there is no backend for target '" << target.getName() << "'";
    // Each kernel in a module of its own: what is lowered and compiled on one thread.
    OwningOpRef<ModuleOp> container = ModuleOp::create(module.getLoc());
    std::vector<NamedModule> kernels;
    OpBuilder builder = OpBuilder::atBlockEnd(container->getBody());
    for (KernelCode &known : all) {
      if (!known.variant)
        continue;
      if (failed(known.takes.find(known.variant)))
        return failure();
      FailureOr<LaunchPlan> plan = encodePlan(known.variant);
      if (failed(plan))
        return failure();
      known.plan = std::move(*plan);
      SymbolOpInterface function = known.variant.getFunction();
      auto kernel = ModuleOp::create(builder, function.getLoc());
      OpBuilder inner(kernel.getBodyRegion());
      for (auto grid : known.variant.getOps<func::FuncOp>())
        inner.clone(*grid);
      kernels.push_back({function.getName().str(), kernel});
    }
    showProgress("lower");
    LogicalResult converted =
        runOn(*container, [&](OpPassManager &pm) { backend->buildPipeline(pm.nest<ModuleOp>()); });
    finishStage("lower");
    if (failed(converted) || isCancelled())
      return failure();
    CodeKind kind = options.emit == Emit::llvm       ? CodeKind::llvmIR
                    : options.emit == Emit::assembly ? CodeKind::assembly
                                                     : CodeKind::object;
    showProgress("code", 0, kernels.size());
    FailureOr<std::vector<ObjectCode>> compiled =
        backend->compile(kernels, target, kind, [&](size_t done) { showProgress("code", done, kernels.size()); });
    finishStage("code");
    if (failed(compiled))
      return failure();
    std::vector<ObjectCode> linked;
    auto next = compiled->begin();
    for (KernelCode &kernel : all) {
      if (kernel.variant) {
        kernel.code = std::move(*next++);
        if (!kernel.key.empty())
          keepCode(kernel);
      }
      const ObjectCode &code = linked.emplace_back(std::move(kernel.code));
      report.kernels.push_back({code.name, target.getName().str(), code.instructions, code.codeBytes});
      if (options.emit != Emit::artifact)
        text.append(code.bytes.begin(), code.bytes.end());
    }
    if (options.emit != Emit::artifact)
      return success();
    return link(*backend, linked, images.emplace_back());
  }

  LogicalResult link(const TargetBackend &backend, ArrayRef<ObjectCode> codes, Image &image) {
    llvm::Expected<Image> linked = backend.link(codes);
    finishStage("link");
    if (!linked)
      return module.emitError(llvm::toString(linked.takeError()));
    image = std::move(*linked);
    report.imageBytes += image.bytes.size();
    return success();
  }

  //===--------------------------------------------------------------------===//
  // The host program
  //===--------------------------------------------------------------------===//

  LogicalResult compileHost() {
    func::FuncOp main = findPlacedProgram();
    if (!main)
      return module.emitError("the model has no function with inputs or outputs");
    showProgress("host");
    // The kernels were verified when they became code.
    if (failed(runPasses(module, buildPlansPipeline)) || failed(verify(main)))
      return failure();
    FailureOr<host::HostCode> converted = host::convertHostProgram(main);
    if (failed(converted) || isCancelled())
      return failure();
    program = std::move(*converted);
    auto [backend, target] = hostProgramBackend(module.getContext());
    if (!backend)
      return module.emitError("there is no backend for host programs");
    FailureOr<std::vector<ObjectCode>> codes = backend->compile({{"host", *program.module, CodeGoal::compileTime}},
                                                                target, CodeKind::object, /*finished=*/nullptr);
    finishStage("host");
    return failed(codes) ? failure() : link(*backend, *codes, hostImage);
  }

  //===--------------------------------------------------------------------===//
  // The artifact
  //===--------------------------------------------------------------------===//

  void completeMetadata() {
    artifact::ModelMetadata &metadata = program.metadata;
    metadata.modelName = options.modelName;
    metadata.producer = "tenon";
    metadata.runEntry = hostImage.entries.lookup("run");
    addProperties(metadata);
    for (auto [i, segment] : llvm::enumerate(metadata.segments)) {
      std::string number = std::to_string(i);
      segment.planEntry = hostImage.entries.lookup("plan_" + number);
      segment.executeEntry = hostImage.entries.lookup("execute_" + number);
    }
    for (tile::TargetAttrInterface target : targets)
      metadata.variants.push_back({target.getName().str(), findBackend(target)->getRequirements(target)});
    for (const std::vector<KernelCode> &kernels : codes)
      for (llvm::StringMap<const KernelCode *> &names = codesByName.emplace_back(); const KernelCode &kernel : kernels)
        names[kernel.name] = &kernel;
    std::map<std::vector<int64_t>, uint32_t> numbers; // equal plans are one
    for (artifact::KernelInfo &kernel : metadata.kernels)
      for (auto [image, names] : llvm::zip(images, codesByName)) {
        const LaunchPlan &plan = names.lookup(kernel.name)->plan;
        auto [it, inserted] = numbers.try_emplace(plan.words, metadata.plans.size());
        if (inserted)
          metadata.plans.push_back(plan.words);
        artifact::KernelCodeInfo &code = kernel.variants.emplace_back();
        code.plan = it->second;
        for (unsigned grid = 0; grid < plan.gridCount; ++grid)
          code.entries.push_back(image.entries.lookup(tile::VariantOp::nameOfGrid(kernel.name, grid)));
      }
    report.launches = metadata.launches.size();
  }

  /// What the importer wrote down of the model's text about itself.
  void addProperties(artifact::ModelMetadata &metadata) {
    for (NamedAttribute attribute : module->getAttrs()) {
      StringRef name = attribute.getName();
      auto text = dyn_cast<StringAttr>(attribute.getValue());
      if (text && name.consume_front("tenon_onnx."))
        metadata.properties.push_back({("onnx." + name).str(), text.str()});
    }
    if (auto others = module->getAttrOfType<DictionaryAttr>("tenon_onnx.metadata"))
      for (NamedAttribute attribute : others)
        if (auto text = dyn_cast<StringAttr>(attribute.getValue()))
          metadata.properties.push_back({attribute.getName().str(), text.str()});
  }

  /// The code that a launch may run, by variant; null where a variant has none.
  std::vector<const KernelCode *> codesOf(const artifact::LaunchInfo &launch) const {
    StringRef name = program.metadata.kernels[launch.kernel].name;
    std::vector<const KernelCode *> result;
    for (const llvm::StringMap<const KernelCode *> &names : codesByName)
      result.push_back(names.lookup(name));
    return result;
  }

  /// Whether what a launch gives an argument of a form can be made into it.
  LogicalResult checkForm(const artifact::LaunchInfo &launch, const host::LaunchOperands &given, const KernelCode &code,
                          StringRef target, FormedConstant constant) {
    auto refuse = [&](int64_t operand, const llvm::Twine &what) {
      InFlightDiagnostic error = module.emitError();
      if (!launch.nodes.empty())
        error << "node '" << launch.nodes << "': ";
      error << "kernel '" << code.name << "' for target '" << target << "' wants operand " << operand << " in form @"
            << constant.form.getSymName() << ", " << what;
      return failure();
    };
    for (auto [type, operand] : llvm::zip(constant.form.getArgumentTypes(), constant.operands)) {
      if (operand < 0 || operand >= (int64_t)given.constants.size())
        return refuse(operand, "but is launched with " + llvm::Twine(given.constants.size()));
      std::optional<unsigned> number = given.constants[operand];
      if (!number)
        return refuse(operand, "but is launched with one that is no constant");
      auto wanted = cast<ShapedType>(type), there = cast<ShapedType>(program.constants[*number].getType());
      if (wanted.getElementType() != there.getElementType() || wanted.getNumElements() != there.getNumElements()) {
        std::string types;
        llvm::raw_string_ostream(types) << "which takes " << type << ", but is launched with " << there;
        return refuse(operand, types);
      }
    }
    return success();
  }

  LogicalResult writeConstants(artifact::ArtifactWriter &writer) {
    artifact::ModelMetadata &metadata = program.metadata;
    // As they are, constants are stored where somebody reads them so.
    SmallVector<bool> isRead(program.isReadElsewhere);
    bool hasForms = false;
    for (auto [launch, given] : llvm::zip(metadata.launches, program.launches))
      for (const KernelCode *code : codesOf(launch))
        for (auto [i, number] : llvm::enumerate(given.constants)) {
          hasForms |= code && !code->takes.constants.empty();
          if (number)
            isRead[*number] = isRead[*number] || (code && code->takes.takesBuffer(i));
        }
    if (program.constants.empty() && !hasForms)
      return success();
#ifdef __GLIBC__
    // What compiling kernels took goes back to the system before constants are mapped.
    malloc_trim(0);
#endif
    writer.beginConstants();
    ConstantTable table(writer);
    // Equal ones are made once.
    llvm::DenseMap<Attribute, unsigned> known;
    for (auto [i, value] : llvm::enumerate(program.constants)) {
      artifact::ConstantInfo &info = metadata.constants[i];
      if (!value || !isRead[i]) {
        info = {}; // no bytes
        continue;
      }
      auto [it, inserted] = known.try_emplace(value, i);
      if (!inserted) {
        uint32_t devices = info.devices;
        info = metadata.constants[it->second];
        info.devices = devices;
        continue;
      }
      if (failed(check(table.add(info, [&](ByteSink sink) { return writeConstant(value, sink); }))))
        return failure();
    }
    if (hasForms && failed(writeFormedConstants(table)))
      return failure();
    report.constantBytes += table.getBytes();
    return success();
  }

  /// Each pair of constants and a form once, for all launches and variants that want it.
  LogicalResult writeFormedConstants(ConstantTable &table) {
    artifact::ModelMetadata &metadata = program.metadata;
    llvm::DenseMap<Operation *, StringRef> contents;
    std::map<std::pair<StringRef, std::vector<const void *>>, uint32_t> known;
    auto nameOf = [&](tile::FormOp form) -> StringRef {
      auto [it, isNew] = contents.try_emplace(form);
      if (isNew)
        it->second = contentNames.insert(contentOf(form)).first->first();
      return it->second;
    };
    for (auto [i, launch] : llvm::enumerate(metadata.launches)) {
      const host::LaunchOperands &given = program.launches[i];
      for (auto [v, code] : llvm::enumerate(codesOf(launch)))
        for (auto [a, constant] :
             llvm::enumerate(code ? ArrayRef(code->takes.constants) : ArrayRef<FormedConstant>())) {
          if (failed(checkForm(launch, given, *code, metadata.variants[v].name, constant)))
            return failure();
          SmallVector<TypedAttr> values = llvm::map_to_vector(
              constant.operands, [&](int64_t operand) { return program.constants[*given.constants[operand]]; });
          std::vector<const void *> key;
          for (TypedAttr value : values)
            key.push_back(value.getAsOpaquePointer());
          auto [it, isNew] = known.try_emplace({nameOf(constant.form), key}, metadata.formed.size());
          if (isNew) {
            artifact::ConstantInfo &info = metadata.formed.emplace_back();
            tile::FormOp form = constant.form;
            if (failed(check(table.add(info, [&](ByteSink sink) { return writeFormed(form, values, sink); }))))
              return failure();
            if (isCancelled())
              return failure();
          }
          if (given.device)
            metadata.formed[it->second].devices |= 1u << *given.device;
          metadata.bindings.push_back({uint32_t(i), uint32_t(v), uint32_t(a), it->second});
        }
    }
    return success();
  }

  /// Whether a device has nothing to give, as `/dev/null`: artifacts without a runtime are written with it.
  static bool isEmptyDevice(const llvm::Twine &path, const llvm::sys::fs::file_status &status) {
    if (status.type() != llvm::sys::fs::file_type::character_file)
      return false;
    llvm::Expected<llvm::sys::fs::file_t> file = llvm::sys::fs::openNativeFileForRead(path);
    if (!file)
      return llvm::consumeError(file.takeError()), false;
    char byte;
    llvm::Expected<size_t> count = llvm::sys::fs::readNativeFile(*file, MutableArrayRef(&byte, 1));
    llvm::sys::fs::closeFile(*file);
    if (!count)
      return llvm::consumeError(count.takeError()), false;
    return *count == 0;
  }

  FailureOr<std::unique_ptr<llvm::MemoryBuffer>> readRuntime() {
    llvm::sys::fs::file_status status;
    if (!llvm::sys::fs::status(options.runtimeLibrary, status) && !llvm::sys::fs::is_regular_file(status)) {
      if (isEmptyDevice(options.runtimeLibrary, status))
        return llvm::MemoryBuffer::getMemBuffer("");
      return module.emitError("cannot read the runtime library '" + options.runtimeLibrary + "': it is no file");
    }
    auto runtime = llvm::MemoryBuffer::getFile(options.runtimeLibrary, /*IsText=*/false,
                                               /*RequiresNullTerminator=*/false);
    if (std::error_code error = runtime.getError())
      return module.emitError("cannot read the runtime library '" + options.runtimeLibrary + "': " + error.message());
    if (!isRuntime((*runtime)->getBuffer()))
      return module.emitError("'" + options.runtimeLibrary + "' is not Tenon's runtime library");
    return std::move(*runtime);
  }

  LogicalResult writeArtifact() {
    if (isCancelled())
      return failure();
    showProgress("write");
    completeMetadata();
    auto runtime = readRuntime();
    if (failed(runtime))
      return failure();
    if (failed(check(checkOutputFile(module.getContext(), output))))
      return failure();
    artifact::ArtifactWriter writer(output.str(), (*runtime)->getBufferStart(), (*runtime)->getBufferSize());
    writer.addHostCode(hostImage.bytes.data(), hostImage.bytes.size());
    for (auto [i, image] : llvm::enumerate(images))
      writer.addKernelCode(i, image.bytes.data(), image.bytes.size());
    if (failed(writeConstants(writer)))
      return failure();
    if (!writer.finish(program.metadata))
      return check(llvm::createStringError(writer.error()));
    keepArtifact();
    finishStage("write");
    return success();
  }

  ModuleOp module;
  const CompileOptions &options;
  StringRef output;
  CompileReport &report;
  double last;
  ScopedDiagnosticHandler noteWarnings;
  std::optional<CompileCache> cache;
  std::string artifactKey;
  bool hasWarned = false;
  SmallVector<tile::TargetAttrInterface> targets;
  std::vector<std::vector<KernelCode>> codes; ///< by target
  std::vector<llvm::StringMap<const KernelCode *>> codesByName;
  llvm::StringSet<> contentNames; ///< what forms compute
  std::vector<Image> images;
  Image hostImage;
  host::HostCode program;
  std::string text;
};
} // namespace

void CompileReport::print(raw_ostream &out) const {
  int64_t instructions = 0, codeBytes = 0;
  for (const Kernel &kernel : kernels) {
    out << "  " << kernel.name << " (" << kernel.variant << "): " << kernel.instructions << " instructions, "
        << kernel.codeBytes << " bytes\n";
    instructions += kernel.instructions;
    codeBytes += kernel.codeBytes;
  }
  if (isCachedArtifact) {
    out << "taken from the cache\n";
  } else {
    out << kernels.size() << " kernels";
    if (cachedKernels)
      out << " (" << cachedKernels << " from the cache)";
    out << ", " << launches << " launches, " << instructions << " instructions, " << codeBytes << " bytes of code, "
        << constantBytes << " bytes of constants\n";
  }
  double total = 0;
  for (const Stage &stage : stages) {
    out << stage.name << " " << llvm::formatv("{0:f3}", stage.seconds) << " s, ";
    total += stage.seconds;
  }
  out << "total " << llvm::formatv("{0:f3}", total) << " s\n";
}

llvm::ThreadPoolStrategy tenon::threadsOf(unsigned wanted) {
  llvm::ThreadPoolStrategy threads = llvm::hardware_concurrency(wanted);
  unsigned count = threads.compute_thread_count();
  // One more reads what the linker writes.
  if (count != 1)
    threads = llvm::hardware_concurrency(std::clamp(countStartableThreads(count + 1), 2u, count + 1) - 1);
  return threads;
}

bool tenon::hasVariants(ModuleOp module) { return !module.getOps<tile::VariantsOp>().empty(); }

LogicalResult tenon::compile(ModuleOp module, const CompileOptions &options, StringRef output, CompileReport &report) {
  return Compilation(module, options, output, report).run();
}
