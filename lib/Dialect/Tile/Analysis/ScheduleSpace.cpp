//===- ScheduleSpace.cpp - The schedules that a kernel can have ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Dialect/Tile/Analysis/ScheduleSpace.h"

#include <limits>

using namespace mlir;
using namespace tenon;
using namespace tenon::tile;

void ScheduleSpace::forEach(ArrayRef<std::optional<int64_t>> fixed, function_ref<void(ArrayRef<int64_t>)> visit) const {
  SchedulePoint point(knobs.size());
  auto nest = [&](auto &nest, size_t i) -> void {
    if (i == knobs.size()) {
      if (isLegal(point))
        visit(point);
      return;
    }
    if (fixed[i]) {
      point[i] = *fixed[i];
      return nest(nest, i + 1);
    }
    for (int64_t candidate : knobs[i].candidates) {
      point[i] = candidate;
      nest(nest, i + 1);
    }
  };
  nest(nest, 0);
}

SchedulePoint ScheduleSpace::cheapest(ArrayRef<std::optional<int64_t>> fixed) const {
  SchedulePoint best;
  double least = std::numeric_limits<double>::infinity();
  auto compare = [&](ArrayRef<int64_t> point) {
    if (double estimate = cost(point); estimate < least) {
      least = estimate;
      best.assign(point.begin(), point.end());
    }
  };
  SmallVector<std::optional<int64_t>> priced(fixed);
  for (auto [value, knob] : llvm::zip(priced, knobs))
    if (!value && !knob.isPriced)
      value = knob.candidates.front();
  forEach(priced, compare);
  // What is fixed may need others.
  if (best.empty())
    forEach(fixed, compare);
  return best;
}

FailureOr<SmallVector<std::optional<int64_t>>> ScheduleSpace::valuesOf(ScheduleAttr schedule,
                                                                       EmitError emitError) const {
  SmallVector<std::optional<int64_t>> values(knobs.size());
  if (!schedule)
    return values;
  for (NamedAttribute entry : schedule.getKnobs()) {
    StringRef name = entry.getName();
    const Knob *knob = llvm::find_if(knobs, [&](const Knob &knob) { return knob.name == name; });
    if (knob == knobs.end())
      return emitError() << "has a schedule with '" << name << "', but " << kind << " have "
                         << llvm::join(llvm::map_range(knobs, [](const Knob &knob) { return knob.name.str(); }), ", ");
    values[knob - knobs.begin()] = schedule.get(name);
  }
  return values;
}

FailureOr<SchedulePoint> ScheduleSpace::best(ScheduleAttr given, EmitError emitError) const {
  FailureOr<SmallVector<std::optional<int64_t>>> fixed = valuesOf(given, emitError);
  if (failed(fixed))
    return failure();
  SchedulePoint point = cheapest(*fixed);
  if (!point.empty())
    return point;
  // What is wrong shows best next to what would have been chosen.
  point = cheapest(SmallVector<std::optional<int64_t>>(knobs.size()));
  for (auto [value, kept] : llvm::zip(point, *fixed))
    value = kept.value_or(value);
  return refuse(point, emitError);
}

LogicalResult ScheduleSpace::refuse(ArrayRef<int64_t> point, EmitError emitError) const {
  std::string reason;
  llvm::raw_string_ostream stream(reason);
  isLegal(point, &stream);
  return emitError() << "can't have this schedule: " << reason;
}

FailureOr<SchedulePoint> ScheduleSpace::read(ScheduleAttr schedule, EmitError emitError) const {
  FailureOr<SmallVector<std::optional<int64_t>>> values = valuesOf(schedule, emitError);
  if (failed(values))
    return failure();
  SchedulePoint point;
  for (auto [knob, value] : llvm::zip(knobs, *values)) {
    if (!value)
      return emitError() << "expects a schedule with '" << knob.name << "': run tenon-select-schedules before";
    point.push_back(*value);
  }
  if (!isLegal(point))
    return refuse(point, emitError);
  return point;
}

ScheduleAttr ScheduleSpace::attributeOf(ArrayRef<int64_t> point) const {
  Builder builder(context);
  SmallVector<NamedAttribute> values;
  for (auto [knob, value] : llvm::zip(knobs, point))
    values.push_back(builder.getNamedAttr(knob.name, builder.getI64IntegerAttr(value)));
  return ScheduleAttr::get(context, builder.getDictionaryAttr(values));
}

Diagnostic &tile::operator<<(Diagnostic &diagnostic, const ScheduleSpace &space) {
  int64_t schedules = 0;
  space.forEach(SmallVector<std::optional<int64_t>>(space.getKnobs().size()), [&](ArrayRef<int64_t>) { ++schedules; });
  diagnostic << schedules << " schedules of " << space.getKind() << ":";
  for (const Knob &knob : space.getKnobs()) {
    diagnostic << " " << knob.name << " {";
    llvm::interleave(knob.candidates, [&](int64_t value) { diagnostic << value; }, [&] { diagnostic << ", "; });
    diagnostic << "}";
  }
  return diagnostic;
}
